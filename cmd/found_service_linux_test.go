package cmd_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Root finds the machine's daemon at a path of its configuration's, which the service's
// user says beside the database, and believes that user about that user's sockets only.
func TestFound_TheServiceByRoot(t *testing.T) {
	needRoot(t)
	withOwnRun(t, 0o755)
	if err := unix.Mount("none", "/var/lib", "tmpfs", 0, "mode=755"); err != nil {
		t.Fatal(err)
	}
	accounts := func(list string) error { return os.WriteFile("/run/passwd", []byte(list), 0o644) }
	service := fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\nproviderd:x:%d:0::/:/bin/false\n", daemonUID)
	if err := errors.Join(accounts(service), unix.Mount("/run/passwd", "/etc/passwd", "", unix.MS_BIND, "")); err != nil {
		t.Fatal(err)
	}
	folder(0, 0o777|os.ModeSticky)(t, "/run/tmp", "")
	folder(daemonUID, 0o700)(t, "/var/lib/providerd", "")
	folder(daemonUID, 0o755)(t, "/run/own", "")
	folder(daemonUID, 0o777)(t, "/run/own/open", "")
	folder(otherUID, 0o755)(t, "/run/theirs", "")
	const record, socket = "/var/lib/providerd/providerd.db.owner", "/run/own/p.sock"
	env := []string{"HOME=/root", "TMPDIR=/run/tmp"}
	log, end := runDaemon(t, alone(daemonUID), []string{"HOME=/"}, "--system", "--socket", socket)
	eventually(t, "the start", func() bool { return strings.Contains(log.String(), "started") })
	if code, says := outcome(t, inBare(alone(0), env, "providerctl", "status", "-o", "name")); code != 0 || !strings.HasPrefix(says, "ollama\n") {
		t.Errorf("exit code %d, %s", code, says)
	}
	end()

	begin(t, alone(daemonUID), "pretend", pretending{[]string{"/run/own/s", "/run/own/open/s", "/run/tmp/s"}})
	begin(t, alone(otherUID), "pretend", pretending{[]string{"/run/theirs/s", "/run/tmp/theirs"}})
	begin(t, alone(0), "pretend", pretending{[]string{"/run/rooms/s"}})
	for link, to := range map[string]string{"/run/own/up": "/run/theirs/s", "/run/own/root": "/run/rooms/s", "/run/own/tmp": "/run/tmp/s"} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
		chown(t, link, daemonUID)
	}
	write := func(owner uint32, mode os.FileMode, names string) func() error {
		return func() error {
			_ = os.Remove(record)
			return errors.Join(os.WriteFile(record, fmt.Appendf(nil, "{\"pid\":1,\"socket\":%q}\n", names), 0o600),
				os.Chmod(record, mode), os.Chown(record, int(owner), 0))
		}
	}
	const down, foreign = "not running: no socket at", "is not used: "
	type lure struct {
		name string
		do   func() error
		says string // empty: it is used
	}
	for _, l := range []lure{
		{"ItsOwn", write(daemonUID, 0o600, "/run/own/s"), ""},
		{"ItsOwnInASharedFolder", write(daemonUID, 0o600, "/run/tmp/s"), ""},
		{"ALinkToItsOwn", write(daemonUID, 0o600, "/run/own/tmp"), ""},
		{"WhereEverybodyMayWrite", write(daemonUID, 0o600, "/run/own/open/s"), foreign},
		{"Anothers", write(daemonUID, 0o600, "/run/theirs/s"), foreign},
		{"ALinkToAnothers", write(daemonUID, 0o600, "/run/own/up"), foreign},
		{"AnothersInASharedFolder", write(daemonUID, 0o600, "/run/tmp/theirs"), "uid 60666 listens there"},
		{"Roots", write(daemonUID, 0o600, "/run/rooms/s"), "uid 0 listens there"},
		{"ALinkToRoots", write(daemonUID, 0o600, "/run/own/root"), "uid 0 listens there"},
		{"TheServiceIsRemoved", func() error {
			return errors.Join(write(daemonUID, 0o600, "/run/own/s")(), accounts("root:x:0:0:root:/root:/bin/sh\n"))
		}, down},
		{"AnotherIsTheService", func() error { return accounts(fmt.Sprintf("providerd:x:%d:0::/:/bin/false\n", otherUID)) }, down},
		{"NoAccountsCanBeRead", func() error { return accounts("\x00\nproviderd\nproviderd:x\nproviderd:x:-1:\n") }, down},
		{"RecordOfAnother", func() error { return errors.Join(accounts(service), write(otherUID, 0o600, "/run/own/s")()) }, down},
		{"RecordThatEverybodyMayWrite", write(daemonUID, 0o666, "/run/own/s"), down},
		{"RecordIsALink", func() error {
			return errors.Join(write(daemonUID, 0o600, "/run/own/s")(), os.Rename(record, record+".x"), os.Symlink(record+".x", record))
		}, down},
		{"RecordIsAPipe", func() error {
			return errors.Join(os.Remove(record), syscall.Mkfifo(record, 0o600), os.Chown(record, daemonUID, 0))
		}, down},
		{"FolderThatEverybodyMayWrite", func() error {
			return errors.Join(write(daemonUID, 0o600, "/run/own/s")(), os.Chmod("/var/lib/providerd", 0o777))
		}, down},
		{"FolderAboveThatEverybodyMayWrite", func() error {
			return errors.Join(os.Chmod("/var/lib/providerd", 0o700), os.Chmod("/var/lib", 0o777|os.ModeSticky))
		}, down},
	} {
		if err := l.do(); err != nil {
			t.Fatal(err)
		}
		if l.says == "" {
			if url, says := pick(t, alone(0).become, "/", env); url != pretended {
				t.Errorf("%s: it prints %q and says %q", l.name, url, says)
			}
			continue
		}
		_, says := outcome(t, inBare(alone(0), env, "providerctl", "doctor", "-o", "json")) // which does not wait
		if !strings.Contains(says, `"status":"fail"`) || !strings.Contains(says, l.says) || l.says == down && strings.Contains(says, "/run/own/") {
			t.Errorf("%s: it says %s, want %q", l.name, says, l.says)
		}
	}
}
