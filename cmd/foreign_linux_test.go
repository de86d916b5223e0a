package cmd_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// pretended is where a fake daemon sends clients that believe it.
const pretended = "http://127.0.0.1:6/v1"

// A pretending is the sockets of such a daemon.
type pretending struct{ Sockets []string }

func playPretend() {
	syscall.Umask(0) // open to all
	for _, socket := range taskOf[pretending]().Sockets {
		if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
			panic(err)
		}
		l, err := net.Listen("unix", socket)
		if err != nil {
			panic(err)
		}
		go func() {
			panic(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, `{"providers":[{"id":"a","kind":"openai-compatible","type":"local","state":"RUNNING","endpoint":"`+pretended+`"}]}`)
			})))
		}()
	}
	underWay()
	select {}
}

// pick asks providerctl as a user which URL to use.
func pick(t *testing.T, become func(*exec.Cmd), dir string, env []string, flags ...string) (url, says string) {
	t.Helper()
	return beginPick(t, become, dir, env, flags...)()
}

// beginPick starts to ask. It is called on the test's own goroutine, as only that is in
// its mount namespace.
func beginPick(t *testing.T, become func(*exec.Cmd), dir string, env []string, flags ...string) (answer func() (url, says string)) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program("providerctl"), append(flags, "pick", "-o", "url")...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return name == "PROVIDERD_SOCKET" || name == "XDG_RUNTIME_DIR" || name == "TMPDIR"
	})
	cmd.Env = append(cmd.Env, env...)
	cmd.Dir = dir
	become(cmd)
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() (url, says string) {
		if err := cmd.Wait(); err != nil {
			talk.WriteString(err.Error())
		}
		return strings.TrimSpace(out.String()), talk.String()
	}
}

// A user's folders in which somebody listens, and which of them the variables of another
// user can name.
func TestForeign_NoVariableLeadsToAnothersSocket(t *testing.T) {
	needRoot(t)
	withOwnRun(t, 0o755) // where no other test's daemon is the system's
	for _, victim := range []user{alone(0), alone(readerUID)} {
		dir, err := os.MkdirTemp("", "pf")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		folder(0, 0o755|os.ModeSticky)(t, filepath.Join(dir, "shared"), "")
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		at := func(names ...string) string { return filepath.Join(append([]string{dir}, names...)...) }
		own := fmt.Sprintf("providerd-%d", victim.uid)
		folder(otherUID, 0o755)(t, at("theirs"), "")
		folder(victim.uid, 0o755)(t, at("mine"), "")
		folder(0, 0o777|os.ModeSticky)(t, at("sticky"), "")
		folder(victim.uid, 0o777)(t, at("open"), "")
		begin(t, alone(otherUID), "pretend", pretending{[]string{
			at("theirs", "providerd", "providerd.sock"), at("theirs", own, "providerd.sock"), at("sticky", "s"), at("sticky", own, "providerd.sock"), at("open", "s"),
		}})
		for name, to := range map[string]string{
			"mine/folder": at("theirs", "providerd"), "mine/run": at("theirs"), "mine/socket": at("theirs", "providerd", "providerd.sock"),
			"mine/insticky": at("sticky", "s"), "mine/up": "../theirs",
		} {
			if err := os.Symlink(to, at(name)); err != nil {
				t.Fatal(err)
			}
			chown(t, at(name), victim.uid)
		}
		if err := os.Link(at("sticky", "s"), at("mine", "hard")); err != nil {
			t.Fatal(err)
		}
		folder(victim.uid, 0o755)(t, at("theirs", "mine"), "") // in theirs, who can put another in its place
		begin(t, victim, "pretend", pretending{[]string{at("theirs", "mine", "s")}})

		const theirs, listens = "belongs to uid 60666", "uid 60666 listens there"
		type attempt struct{ variable, value, says string }
		var attempts []attempt
		var answers []func() (url, says string) // all at once: each waits for a daemon that may be starting
		for _, tt := range []attempt{
			{"XDG_RUNTIME_DIR", at("theirs"), theirs},
			{"XDG_RUNTIME_DIR", at("mine", "run"), theirs},
			{"XDG_RUNTIME_DIR", at("mine", "up"), theirs},
			{"TMPDIR", at("theirs"), theirs},
			{"TMPDIR", at("mine", "run"), theirs},
			{"TMPDIR", "theirs", theirs},
			{"TMPDIR", at("sticky"), theirs},
			{"PROVIDERD_SOCKET", at("theirs", "providerd", "providerd.sock"), theirs},
			{"PROVIDERD_SOCKET", "theirs/providerd/providerd.sock", theirs},
			{"PROVIDERD_SOCKET", "mine/../theirs/providerd/providerd.sock", theirs},
			{"PROVIDERD_SOCKET", at("mine", "folder", "providerd.sock"), theirs},
			{"PROVIDERD_SOCKET", at("mine") + "/folder/../providerd/providerd.sock", theirs},
			{"PROVIDERD_SOCKET", at("mine", "socket"), theirs},
			{"PROVIDERD_SOCKET", at("theirs", "mine", "s"), theirs},
			{"PROVIDERD_SOCKET", at("sticky", "s"), listens},
			{"PROVIDERD_SOCKET", at("mine", "insticky"), listens},
			{"PROVIDERD_SOCKET", at("mine", "hard"), listens},
			{"PROVIDERD_SOCKET", at("open", "s"), "can be written by everybody"},
		} {
			attempts = append(attempts, tt)
			answers = append(answers, beginPick(t, victim.become, dir, []string{tt.variable + "=" + tt.value}))
		}
		for i, tt := range attempts {
			url, says := answers[i]()
			if url != "" || !strings.Contains(says, "is not used: ") || !strings.Contains(says, tt.says) ||
				!strings.Contains(says, "--socket PATH") || !strings.Contains(says, "unset "+tt.variable) {
				t.Errorf("uid %d, %s=%s: it prints %q and says %q, want %q", victim.uid, tt.variable, tt.value, url, says, tt.says)
			}
		}
		if url, says := pick(t, victim.become, dir, nil, "--socket", at("mine", "socket")); url != pretended {
			t.Errorf("uid %d, chosen by the flag: it prints %q and says %q", victim.uid, url, says)
		}
	}
}

// A socket of the user or root in a folder of theirs is used, wherever it is.
func TestForeign_OnesOwnAndRootsAreUsed(t *testing.T) {
	needRoot(t)
	asker := alone(readerUID)
	for _, listens := range []user{alone(0), asker} {
		dir, err := os.MkdirTemp("", "pf")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		folder(0, 0o777|os.ModeSticky)(t, filepath.Join(dir, "sticky"), "")
		folder(listens.uid, 0o775)(t, filepath.Join(dir, "run"), "")
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		at := func(names ...string) string { return filepath.Join(append([]string{dir}, names...)...) }
		own := fmt.Sprintf("providerd-%d", asker.uid)
		begin(t, listens, "pretend", pretending{[]string{
			at("run", "providerd", "providerd.sock"), at("run", own, "providerd.sock"), at("sticky", "s"), at("sticky", own, "providerd.sock"),
		}})
		if err := os.Symlink("run/providerd", at("link")); err != nil {
			t.Fatal(err)
		}
		for variable, values := range map[string][]string{
			"XDG_RUNTIME_DIR":  {at("run")},
			"TMPDIR":           {at("run"), at("sticky"), "run"},
			"PROVIDERD_SOCKET": {at("sticky", "s"), "run/providerd/providerd.sock", at("link", "providerd.sock"), at("link") + "/../providerd/providerd.sock"},
		} {
			for _, value := range values {
				if url, says := pick(t, asker.become, dir, []string{variable + "=" + value}); url != pretended || says != "" {
					t.Errorf("of uid %d, %s=%s: it prints %q and says %q", listens.uid, variable, value, url, says)
				}
			}
		}
	}
}

// The system's place in the test's own file system: its folder can belong to any user, who
// alone may listen there besides root, but only if nobody except root can create it.
func TestForeign_TheSystemsPlace(t *testing.T) {
	needRoot(t)
	for _, tt := range []struct {
		name    string
		run     os.FileMode
		folder  user
		mode    os.FileMode
		listens user
		says    string // empty: it is used
	}{
		{"OfItsUser", 0o755, alone(daemonUID), 0o755, alone(daemonUID), ""},
		{"OfRootByActivation", 0o755, alone(daemonUID), 0o755, alone(0), ""},
		{"AnotherOfItsGroupListens", 0o755, user{uid: daemonUID, gid: otherUID}, 0o775, alone(otherUID), "uid 60666 listens there"},
		{"WritableByAll", 0o755, alone(daemonUID), 0o777, alone(daemonUID), "can be written by everybody (mode 0777)"},
		{"WhereAnybodyCanMakeIt", 0o777 | os.ModeSticky, alone(otherUID), 0o755, alone(otherUID), "belongs to uid 60666"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			withOwnRun(t, tt.run)
			folder(tt.folder.uid, tt.mode)(t, "/run/providerd", "")
			if err := os.Chown("/run/providerd", int(tt.folder.uid), int(tt.folder.gid)); err != nil {
				t.Fatal(err)
			}
			begin(t, tt.listens, "pretend", pretending{[]string{"/run/providerd/providerd.sock"}})
			for _, asker := range []user{alone(0), alone(readerUID)} {
				envs := [][]string{{"PROVIDERD_SOCKET=/run/../run//providerd/providerd.sock"}}
				if tt.says == "" { // or else it waits for a daemon elsewhere
					envs = append(envs, nil, []string{"XDG_RUNTIME_DIR=/nowhere"})
				}
				for _, env := range envs {
					url, says := pick(t, asker.become, "/", env)
					if used := tt.says == ""; used != (url == pretended) || !used && (url != "" || !strings.Contains(says, tt.says)) {
						t.Errorf("uid %d with %q: it prints %q and says %q, want %q", asker.uid, env, url, says, tt.says)
					}
				}
			}
		})
	}
}

// A passed-over socket of another user, before the system's that answers, is reported.
func TestForeign_WhatIsPassedOverIsSaid(t *testing.T) {
	needRoot(t)
	withOwnRun(t, 0o755)
	folder(otherUID, 0o755)(t, "/run/theirs", "")
	folder(otherUID, 0o700)(t, "/run/closed", "")
	folder(daemonUID, 0o755)(t, "/run/providerd", "")
	begin(t, alone(daemonUID), "pretend", pretending{[]string{"/run/providerd/providerd.sock"}})
	begin(t, alone(otherUID), "pretend", pretending{[]string{"/run/theirs/providerd/providerd.sock", "/run/closed/providerd/providerd.sock"}})
	for dir, note := range map[string]string{
		"/run/theirs": "providerctl: note: the socket /run/theirs/providerd/providerd.sock is not used: /run/theirs belongs to uid 60666\n",
		"/run/closed": "", // as after su: there may be nothing in it
	} {
		if url, says := pick(t, alone(readerUID).become, "/", []string{"XDG_RUNTIME_DIR=" + dir}); url != pretended || says != note {
			t.Errorf("%s: it prints %q and says %q, want %q", dir, url, says, note)
		}
	}
}

// A client in a user namespace that does not map everybody, such as a sandbox, uses its own
// socket and the system's, but not those of others, who all look alike.
func TestForeign_InANamespace(t *testing.T) {
	needRoot(t)
	withOwnRun(t, 0o755)
	folder(readerUID, 0o755)(t, "/run/mine", "")
	folder(otherUID, 0o755)(t, "/run/theirs", "")
	folder(otherUID, 0o777)(t, "/run/mine/open", "")
	folder(0, 0o777|os.ModeSticky)(t, "/run/sticky", "")
	folder(daemonUID, 0o755)(t, "/run/providerd", "")
	begin(t, alone(readerUID), "pretend", pretending{[]string{"/run/mine/providerd/providerd.sock"}})
	begin(t, alone(daemonUID), "pretend", pretending{[]string{"/run/providerd/providerd.sock"}})
	begin(t, alone(otherUID), "pretend", pretending{[]string{"/run/theirs/providerd/providerd.sock", "/run/sticky/s", "/run/mine/open/s"}})
	for name, asker := range map[string]func(*exec.Cmd){
		"OneUserMapped":       idMap{{ContainerID: 1000, HostID: readerUID, Size: 1}}.become(1000),
		"AsNobody":            idMap{{ContainerID: overflow, HostID: readerUID, Size: 1}}.become(overflow),
		"AsNobodyBesideARoot": idMap{{Size: 1}, {ContainerID: overflow, HostID: readerUID, Size: 1}}.become(overflow),
		"AsItsRoot":           idMap{{HostID: readerUID, Size: 1}}.become(0),
	} {
		for _, env := range []string{"XDG_RUNTIME_DIR=/run/mine", "PROVIDERD_SOCKET=/run/mine/providerd/providerd.sock", "PROVIDERD_SOCKET=/run/providerd/providerd.sock", "XDG_RUNTIME_DIR=/run"} {
			if url, says := pick(t, asker, "/", []string{env}); url != pretended || says != "" {
				t.Errorf("%s, %s: it prints %q and says %q", name, env, url, says)
			}
		}
		for _, socket := range []string{"/run/theirs/providerd/providerd.sock", "/run/sticky/s", "/run/mine/open/s"} {
			if url, says := pick(t, asker, "/", []string{"PROVIDERD_SOCKET=" + socket}); url != "" || !strings.Contains(says, "is not used: ") {
				t.Errorf("%s, %s: it prints %q and says %q", name, socket, url, says)
			}
		}
	}
}

// withOwnRun gives the test, and the processes it starts, an empty /run.
func withOwnRun(t *testing.T, mode os.FileMode) {
	t.Helper()
	runtime.LockOSThread() // for good: the thread ends with the test's goroutine
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
		t.Skip("no mount namespace can be made here:", err)
	}
	for _, m := range [][2]string{{"", "/"}, {"tmpfs", "/run"}} {
		kind, flags := m[0], uintptr(0)
		if kind == "" {
			flags = unix.MS_REC | unix.MS_PRIVATE
		}
		if err := unix.Mount("none", m[1], kind, flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod("/run", mode); err != nil {
		t.Fatal(err)
	}
}
