package cmd_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A daemon is found by whoever may use it, from an environment that is not its own: from
// cron, after a logout, after su.

// withOwnAccounts gives the test, which has a mount namespace of its own, a folder at
// path that is empty, and a list of accounts with one user whose home is in there.
func withOwnAccounts(t *testing.T, u user) (home string) {
	t.Helper()
	home = fmt.Sprintf("/home/u%d", u.uid)
	list := fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\nada:x:%d:%d::%s:/bin/sh\n", u.uid, u.gid, home)
	if err := errors.Join(
		unix.Mount("none", "/home", "tmpfs", 0, "mode=755"),
		os.WriteFile("/run/passwd", []byte(list), 0o644), unix.Mount("/run/passwd", "/etc/passwd", "", unix.MS_BIND, ""),
	); err != nil {
		t.Fatal(err)
	}
	folder(u.uid, 0o700)(t, home, "")
	return home
}

func TestFound_FromAnywhere(t *testing.T) {
	needRoot(t)
	withOwnRun(t, 0o755)
	ada := alone(uint32(61_000 + os.Getpid()%1000)) // the kernel lists sockets by their paths, those of another run of this test too
	home := withOwnAccounts(t, ada)
	runtime := fmt.Sprintf("/run/user/%d", ada.uid)
	if err := os.Mkdir("/run/user", 0o755); err != nil {
		t.Fatal(err)
	}
	folder(ada.uid, 0o700)(t, runtime, "")
	folder(0, 0o700)(t, "/run/user/0", "")
	folder(0, 0o777|os.ModeSticky)(t, "/run/tmp", "") // so that nothing of this machine's is met

	// A daemon whose database is elsewhere is found by the usual places alone.
	loggedIn := []string{"HOME=" + home, "XDG_RUNTIME_DIR=" + runtime, "TMPDIR=/run/tmp"}
	log, end := runDaemon(t, ada, loggedIn, "--state-dir", home+"/elsewhere")
	eventually(t, "the start with another database", func() bool { return strings.Contains(log.String(), "started") })
	if code, says := outcome(t, inBare(ada, []string{"HOME=" + home, "TMPDIR=/run/tmp"}, "providerctl", "info")); code != 0 {
		t.Errorf("with another database: exit code %d, %s", code, says)
	}
	end()

	log, end = runDaemon(t, ada, loggedIn)
	eventually(t, "the start", func() bool { return strings.Contains(log.String(), "started") })
	elsewhere := map[string][]string{
		"Cron":                      {"HOME=" + home, "TMPDIR=/run/tmp"},
		"NothingAtAll":              {"TMPDIR=/run/tmp"},
		"TheHomeThatContainersHave": {"HOME=/", "TMPDIR=/run/tmp"},
		"AfterSuFromRoot":           {"HOME=" + home, "XDG_RUNTIME_DIR=/run/user/0", "TMPDIR=/run/tmp"},
		"LoggedIn":                  {"HOME=" + home, "XDG_RUNTIME_DIR=" + runtime, "TMPDIR=/run/tmp"},
		"AnotherTemporaryFolder":    {"HOME=" + home, "TMPDIR=/nowhere"},
	}
	isFound := func(t *testing.T, second bool) {
		t.Helper()
		var finds, seconds []*job
		for name, env := range elsewhere {
			finds = append(finds, startJob(t, name, inBare(ada, env, "providerctl", "status", "-o", "name")))
			if !second {
				continue
			}
			seconds = append(seconds, startJob(t, name, inBare(ada, env, "providerd")))
		}
		for i := range finds {
			if code := finds[i].end(); code != 0 || !strings.HasPrefix(finds[i].text.String(), "ollama\n") {
				t.Errorf("%s: exit code %d, %s", finds[i].name, code, &finds[i].text)
			}
			if !second {
				continue
			}
			if code := seconds[i].end(); code != 1 || !strings.Contains(seconds[i].text.String(), "already running (pid ") {
				t.Errorf("%s: a second daemon exits with %d and says %s", seconds[i].name, code, &seconds[i].text)
			}
		}
	}
	isFound(t, false)

	// Root asks another's daemon only by name, which is told to whoever called sudo.
	own := runtime + "/providerd/providerd.sock"
	code, says := outcome(t, inBare(alone(0), []string{"HOME=/root", "TMPDIR=/run/tmp", fmt.Sprintf("SUDO_UID=%d", ada.uid)}, "providerctl", "health"))
	if code != 3 || !strings.Contains(says, "who called sudo, has one at "+own) || !strings.Contains(says, "leave sudo out, or name it: providerctl --socket "+own) {
		t.Errorf("with sudo: exit code %d, %s", code, says)
	}

	// After a logout the folder is gone, and the daemon stays.
	if err := os.RemoveAll(runtime); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the socket elsewhere", func() bool {
		return strings.Contains(log.String(), "loginctl enable-linger") && strings.Contains(log.String(), "listening on the control socket again")
	})
	isFound(t, true)
	if code, says := outcome(t, inBare(ada, elsewhere["LoggedIn"], "providerctl", "health")); code != 0 {
		t.Errorf("it is not well: %s", says)
	}

	// Another user takes the place that it has now, but ours is back after a login.
	spare := fmt.Sprintf("/run/tmp/providerd-%d", ada.uid)
	if err := os.RemoveAll(spare); err != nil {
		t.Fatal(err)
	}
	folder(otherUID, 0o755)(t, spare, "")
	folder(ada.uid, 0o700)(t, runtime, "")
	eventually(t, "the socket in its first place", func() bool {
		return strings.Contains(log.String(), "listening in the runtime folder again")
	})
	isFound(t, false)
	if err := errors.Join(os.RemoveAll(spare), os.RemoveAll(runtime)); err != nil { // after another logout
		t.Fatal(err)
	}
	end()
	code, says = outcome(t, inBare(ada, elsewhere["LoggedIn"], "providerctl", "health"))
	if code != 3 || !strings.Contains(says, runtime+", which XDG_RUNTIME_DIR names, is gone") || !strings.Contains(says, "sudo loginctl enable-linger") {
		t.Errorf("without a daemon and its folder: exit code %d, %s", code, says)
	}

	// It starts without its folder too, and where only the file beside the database tells.
	log, end = runDaemon(t, ada, elsewhere["LoggedIn"])
	eventually(t, "a start without the folder", func() bool { return strings.Contains(log.String(), "started") })
	isFound(t, false)
	end()
	_, says = outcome(t, inBare(ada, elsewhere["AfterSuFromRoot"], "providerd"))
	if !strings.Contains(says, "unset XDG_RUNTIME_DIR") {
		t.Errorf("with another user's folder: %s", says)
	}
	folder(ada.uid, 0o700)(t, home+"/own", "")
	log, _ = runDaemon(t, ada, elsewhere["NothingAtAll"], "--socket", home+"/own/s")
	eventually(t, "a start with a socket of its own", func() bool { return strings.Contains(log.String(), "started") })
	isFound(t, false)
}

// A trick is what another user has planted for a victim, and what the victim is told.
type trick struct {
	name string
	do   func(t *testing.T, v user, home string) (env []string)
	says string // empty: that no daemon runs
}

// The places that no variable names are another user's to plant too.
func TestForeign_PlantedPlacesAreNotUsed(t *testing.T) {
	needRoot(t)
	withOwnRun(t, 0o755)
	for _, dir := range []string{"/run/user", "/run/tmp"} {
		folder(0, 0o777|os.ModeSticky)(t, dir, "") // /run/user is not so open, but for a mistake
	}
	folder(otherUID, 0o755)(t, "/run/theirs", "")
	const socket = "/run/theirs/providerd/providerd.sock"
	begin(t, alone(otherUID), "pretend", pretending{[]string{socket, "/run/tmp/s"}})
	record := func(t *testing.T, dir string, owner uint32, names string) string {
		t.Helper()
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "providerd.db.owner")
		if err := os.WriteFile(path, fmt.Appendf(nil, "{\"pid\":1,\"socket\":%q}    \n", names), 0o644); err != nil {
			t.Fatal(err)
		}
		for at := dir; strings.Count(at, "/") > 2; at = filepath.Dir(at) { // below /run/NAME, which is theirs already
			chown(t, at, owner)
		}
		chown(t, path, owner)
		return path
	}
	const state = "/.local/state/providerd"
	record(t, "/run/theirs"+state, otherUID, socket)
	record(t, "/run/theirs/providerd", otherUID, socket)
	const belongs = "belongs to uid 60666"
	tricks := []trick{
		{"RuntimeFolder", func(t *testing.T, v user, _ string) []string {
			dir := fmt.Sprintf("/run/user/%d", v.uid)
			folder(otherUID, 0o755)(t, dir, "")
			begin(t, alone(otherUID), "pretend", pretending{[]string{dir + "/providerd/providerd.sock"}})
			return nil
		}, belongs},
		{"RuntimeFolderIsALink", func(t *testing.T, v user, _ string) []string {
			link := fmt.Sprintf("/run/user/%d", v.uid)
			if err := os.Symlink("/run/theirs", link); err != nil {
				t.Fatal(err)
			}
			chown(t, link, otherUID)
			return nil
		}, belongs},
		{"RuntimeFolderIsALinkOfOnesOwn", func(t *testing.T, v user, _ string) []string {
			link := fmt.Sprintf("/run/user/%d", v.uid)
			if err := os.Symlink("/run/theirs", link); err != nil {
				t.Fatal(err)
			}
			chown(t, link, v.uid)
			return nil
		}, belongs},
		{"TemporaryFolder", func(t *testing.T, v user, _ string) []string {
			dir := fmt.Sprintf("/run/tmp/providerd-%d", v.uid)
			folder(otherUID, 0o755)(t, dir, "")
			begin(t, alone(otherUID), "pretend", pretending{[]string{dir + "/providerd.sock"}})
			return nil
		}, belongs},
		{"StateFolderOfAVariable", func(*testing.T, user, string) []string { return []string{"XDG_STATE_HOME=/run/theirs"} }, ""},
		{"HomeOfAVariable", func(*testing.T, user, string) []string { return []string{"HOME=/run/theirs"} }, ""},
		{"StateFolderIsALink", func(t *testing.T, v user, home string) []string {
			if err := errors.Join(os.MkdirAll(home+"/.local/state", 0o755), os.Symlink("/run/theirs/providerd", home+state)); err != nil {
				t.Fatal(err)
			}
			return nil
		}, ""},
		{"RecordIsALink", func(t *testing.T, v user, home string) []string {
			at := record(t, home+state, v.uid, socket)
			if err := errors.Join(os.Remove(at), os.Symlink("/run/theirs/providerd/providerd.db.owner", at)); err != nil {
				t.Fatal(err)
			}
			chown(t, at, v.uid)
			return nil
		}, ""},
		{"RecordIsOfAnother", func(t *testing.T, v user, home string) []string {
			chown(t, record(t, home+state, v.uid, socket), otherUID)
			return nil
		}, ""},
		{"RecordIsOpenToAll", func(t *testing.T, v user, home string) []string {
			if err := os.Chmod(record(t, home+state, v.uid, socket), 0o666); err != nil {
				t.Fatal(err)
			}
			return nil
		}, ""},
		{"RecordIsAPipe", func(t *testing.T, v user, home string) []string {
			at := record(t, home+state, v.uid, socket)
			if err := errors.Join(os.Remove(at), syscall.Mkfifo(at, 0o600)); err != nil {
				t.Fatal(err)
			}
			chown(t, at, v.uid)
			return nil
		}, ""},
		{"RecordNamesTheirs", func(t *testing.T, v user, home string) []string {
			record(t, home+state, v.uid, socket) // of a daemon that has ended; the path is another's now
			return nil
		}, belongs},
		{"RecordNamesOneInASharedFolder", func(t *testing.T, v user, home string) []string {
			record(t, home+state, v.uid, "/run/tmp/s")
			return nil
		}, "uid 60666 listens there"},
		{"RecordIsNoRecord", func(t *testing.T, v user, home string) []string {
			record(t, home+state, v.uid, "run/theirs/providerd/providerd.sock")
			return nil
		}, ""},
	}
	type attempt struct {
		trick
		cmd       *exec.Cmd
		out, talk bytes.Buffer
	}
	var attempts []*attempt
	try := func(tr trick, v user) {
		home := fmt.Sprintf("/run/home%d", v.uid)
		folder(v.uid, 0o755)(t, home, "")
		a := &attempt{trick: tr}
		env := append([]string{"HOME=" + home, "TMPDIR=/run/tmp"}, tr.do(t, v, home)...)
		a.cmd = inBare(v, env, "providerctl", "pick", "-o", "url")
		hangs := time.AfterFunc(time.Minute, func() { _ = a.cmd.Process.Kill() }) // it ends with -1 then
		t.Cleanup(func() { hangs.Stop() })
		a.cmd.Stdout, a.cmd.Stderr = &a.out, &a.talk
		if err := a.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		attempts = append(attempts, a)
	}
	for i, tr := range tricks {
		try(tr, alone(uint32(60_800+i)))
	}
	// Root's, all at once.
	if err := unix.Mount("none", "/var/lib", "tmpfs", 0, "mode=755"); err != nil {
		t.Fatal(err)
	}
	try(trick{"OfRoot", func(t *testing.T, v user, _ string) []string {
		record(t, "/var/lib/providerd", otherUID, "/run/tmp/s") // on a file system of the test's
		if err := os.Symlink("/run/theirs", "/run/user/0"); err != nil {
			t.Fatal(err)
		}
		return []string{"HOME=/run/theirs", "XDG_STATE_HOME=/run/theirs", "XDG_RUNTIME_DIR=/run/theirs"}
	}, belongs}, alone(0))
	for _, a := range attempts {
		_ = a.cmd.Wait()
		if code := a.cmd.ProcessState.ExitCode(); code != 3 || a.out.Len() > 0 || !strings.Contains(a.talk.String(), cmp.Or(a.says, "not running: no socket at")) {
			t.Errorf("%s: exit code %d, it prints %q and says %q, want %q", a.name, code, &a.out, &a.talk, a.says)
		}
		if a.says == "" && strings.Contains(a.talk.String(), "theirs/providerd/providerd.sock") {
			t.Errorf("%s: what another user wrote is told: %s", a.name, &a.talk)
		}
	}
}
