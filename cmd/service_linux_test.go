package cmd_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A daemon that a service manager started reports that it is ready, logs for the journal,
// serves the manager's socket, and passes nothing that it was given to others.
func TestService_AsTheManagerStartsIt(t *testing.T) {
	marks := filepath.Join(t.TempDir(), "seen")
	check := fmt.Sprintf("env > %s; ls -l /proc/self/fd >> %s; echo done >> %s", marks, marks, marks)
	p := newProcess(t, fmt.Sprintf("[[provider]]\nid = \"child\"\nkind = \"exec\"\ncommand = [\"/bin/sh\", \"-c\", %q]\n", check))
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(p.dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer notify.Close()
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(p.dir, "activated"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	passed, err := socket.File()
	if err != nil {
		t.Fatal(err)
	}
	defer passed.Close()
	journal, err := os.Create(filepath.Join(p.dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	info, err := journal.Stat()
	if err != nil {
		t.Fatal(err)
	}
	stream := info.Sys().(*syscall.Stat_t)

	cmd := p.command()
	// The shell's pid is the daemon's: exec keeps it.
	cmd.Args = append([]string{"/bin/sh", "-c", `LISTEN_PID=$$ WATCHDOG_PID=$$ exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	cmd.Stderr = journal
	cmd.ExtraFiles = []*os.File{passed}
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+filepath.Join(p.dir, "notify"), "WATCHDOG_USEC=300000",
		"LISTEN_FDS=1", fmt.Sprintf("JOURNAL_STREAM=%d:%d", stream.Dev, stream.Ino))
	p.cmd, p.ended, p.socket = cmd, make(chan struct{}), filepath.Join(p.dir, "activated")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func(cmd *exec.Cmd) {
		p.err = cmd.Wait()
		close(p.ended)
	}(cmd)

	hear := func(part string) string {
		message := make([]byte, 4096)
		for {
			if err := notify.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
				t.Fatal(err)
			}
			n, err := notify.Read(message)
			if err != nil {
				t.Fatalf("waiting for %s: %v", part, err)
			}
			if strings.Contains(string(message[:n]), part) {
				return string(message[:n])
			}
		}
	}
	if got := hear("READY=1"); !strings.Contains(got, "STATUS=1 provider: ") {
		t.Errorf("heard %q", got)
	}
	if got := p.do("GET", "/api/daemon", nil); got != 200 {
		t.Errorf("the manager's socket answers %d", got)
	}
	if _, err := os.Lstat(filepath.Join(p.dir, "run")); !os.IsNotExist(err) {
		t.Errorf("it made a socket of its own: %v", err)
	}
	hear("WATCHDOG=1")
	p.until(func() bool { seen, _ := os.ReadFile(marks); return bytes.HasSuffix(seen, []byte("done\n")) })
	seen, _ := os.ReadFile(marks)
	for _, secret := range []string{"NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_", "socket:"} {
		if bytes.Contains(seen, []byte(secret)) {
			t.Errorf("a plug-in sees %s:\n%s", secret, seen)
		}
	}
	p.write("nonsense")
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	hear("RELOADING=1\nMONOTONIC_USEC=")
	if got := hear("READY=1"); !strings.Contains(got, "refused") {
		t.Errorf("after a bad reload it hears %q", got)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hear("STOPPING=1")
	<-p.ended
	if p.err != nil {
		t.Error(p.err)
	}
	log, err := os.ReadFile(journal.Name())
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(log)), "\n") {
		if len(line) < 4 || line[0] != '<' || line[2:4] != ">[" {
			t.Errorf("in the journal: %q", line)
		}
	}
	if !strings.Contains(string(log), "<3>[ERROR] providerd: reload refused") {
		t.Errorf("the journal lacks the refused reload:\n%s", log)
	}
}

// An error at the start is an error in the journal, line by line.
func TestService_StartErrorInTheJournal(t *testing.T) {
	p := newProcess(t, "[[provider]]\nid = \"x\"\nkind = \"htp\"\n")
	journal, err := os.Create(filepath.Join(p.dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	info, err := journal.Stat()
	if err != nil {
		t.Fatal(err)
	}
	stream := info.Sys().(*syscall.Stat_t)
	cmd := p.command()
	cmd.Stderr = journal
	cmd.Env = append(os.Environ(), fmt.Sprintf("JOURNAL_STREAM=%d:%d", stream.Dev, stream.Ino))
	if err := cmd.Run(); err == nil {
		t.Error("it ran")
	}
	log, err := os.ReadFile(journal.Name())
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	for _, line := range lines {
		if !strings.HasPrefix(line, "<3>") {
			t.Errorf("%q", line)
		}
	}
	if len(lines) < 2 {
		t.Errorf("the excerpt is missing: %q", log)
	}
}
