package cmd_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// On its own terminal, --watch redraws at once when the size changes; ctrl-Z restores the
// screen for the shell, fg takes it again, and ctrl-C ends it and restores the screen.
func TestWatch_OnATerminal(t *testing.T) {
	const (
		enter = "\x1b[?1049h"
		leave = "\x1b[?25h\x1b[?1049l"
	)
	p := newProcess(t, withIDs("alpha", "beta")).start()
	p.until(func() bool { return p.unchecked() == 0 })
	needs(t, "bash")
	keys, screen := startOnTerminal(t, t.TempDir(),
		[]string{"PATH=" + bin + ":/usr/bin:/bin", "PROVIDERD_SOCKET=" + p.socket, "TERM=xterm", "PS1=ready> "},
		[]string{"bash", "--norc", "--noprofile", "-i"})
	await := func(text string, times int) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); strings.Count(screen.String(), text) < times; time.Sleep(2 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%q is not shown %d times:\n%q", text, times, screen)
			}
		}
	}
	press := func(text string) {
		t.Helper()
		if _, err := keys.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	resizeTo(t, keys, 120, 20)
	await("ready> ", 1)
	press("providerctl status --watch; echo ended with $?\n")
	await("LATENCY", 1)

	resizeTo(t, keys, 16, 20)
	await("  ID     STATE\x1b[K\r\n", 1) // the rest does not fit

	press("\x1a")
	await("Stopped", 1)
	if got := screen.String(); strings.Count(got, leave) != 1 || strings.LastIndex(got, leave) > strings.LastIndex(got, "Stopped") {
		t.Errorf("the screen is not given back: %q", got)
	}
	resizeTo(t, keys, 120, 20)
	press("fg\n")
	await(enter, 2)
	await("LATENCY", 2)

	press("\x03")
	await(leave, 2)
	await("ready> ", 3)
	if got := screen.String(); strings.Contains(got[strings.LastIndex(got, leave):], "alpha") {
		t.Errorf("something is left: %q", got)
	}
}

// resizeTo gives the terminal of a keyboard another size, which the kernel signals to its
// foreground process.
func resizeTo(t *testing.T, keys *os.File, columns, lines uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(keys.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: lines, Col: columns}); err != nil {
		t.Fatal(err)
	}
}
