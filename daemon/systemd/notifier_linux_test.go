package systemd_test

import (
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/providerd/providerd/daemon/systemd"
)

func TestNotifier(t *testing.T) {
	t.Run("SaysWhatFits", func(t *testing.T) {
		n, heard := listen(t)
		for _, step := range []struct {
			say  func() error
			want string // a pattern; empty: nothing
		}{
			{n.Alive, ""},
			{n.Reloading, ""},
			{func() error { return n.Reloaded("a") }, ""},
			{func() error { return n.Ready("one") }, `READY=1\nSTATUS=one`},
			{func() error { return n.Ready("again") }, ""},
			{func() error { return n.Status("one") }, ""},
			{func() error { return n.Status("two") }, `STATUS=two`},
			{func() error { return n.Status("two") }, ""},
			{n.Alive, `WATCHDOG=1`},
			{n.Reloading, `RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]*`},
			{func() error { return n.Reloaded("two") }, `READY=1\nSTATUS=two`},
			{func() error { return n.Status("READY=1\nSTOPPING=1\xff") }, `STATUS=READY=1 STOPPING=1` + "\uFFFD"},
			{func() error { return n.Status(strings.Repeat("é", 3000)) }, `STATUS=é{500}…`},
			{func() error { return n.Stopping("") }, `STOPPING=1`},
			{func() error { return n.Stopping("twice") }, ""},
			{n.Alive, ""},
			{func() error { return n.Reloaded("late") }, ""},
		} {
			if err := step.say(); err != nil {
				t.Fatal(err)
			}
			if got := heard(); !regexp.MustCompile(`^` + step.want + `$`).MatchString(got) {
				t.Errorf("heard %q, want %q", got, step.want)
			}
		}
	})
	t.Run("NobodyListens", func(t *testing.T) {
		n := systemd.NewNotifier(filepath.Join(t.TempDir(), "gone"))
		if n.Ready("x") == nil {
			t.Error("it believes that it was heard")
		}
	})
	t.Run("NobodyAsked", func(t *testing.T) {
		n := systemd.NewNotifier("")
		if n != nil || n.Ready("x") != nil || n.Stopping("") != nil || n.Alive() != nil {
			t.Error("it speaks to itself")
		}
	})
}

// listen returns a notifier and what was heard of it since; empty for nothing.
func listen(t *testing.T) (*systemd.Notifier, func() string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	return systemd.NewNotifier(path), func() (text string) {
		message := make([]byte, 4096)
		err := raw.Read(func(fd uintptr) bool { // what was sent is there already
			n, _, err := syscall.Recvfrom(int(fd), message, syscall.MSG_DONTWAIT)
			text = string(message[:max(n, 0)])
			return err == nil || err == syscall.EAGAIN
		})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
}
