//go:build unix

package top

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/gdamore/tcell/v3"
	"github.com/gdamore/tcell/v3/tty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// errNoTerminal means that stdin or stdout is not a terminal.
var errNoTerminal = errors.New("this is not a terminal")

// A terminal is stdin and stdout as a [tcell.Tty]. When tcell's own stops, a read remains in
// progress, which swallows the first key after ctrl-Z and fg. This one polls, and ends its
// reads.
type terminal struct {
	in, out *os.File
	fd      int

	saved   *term.State // from before Start; nil if it is not started
	stop    *os.File    // its other end becomes readable once this one is closed
	stopped *os.File
	reading sync.Mutex // held during a read
	resized chan os.Signal
}

func newTTY(in, out *os.File) (tcell.Tty, error) {
	t := &terminal{in: in, out: out, fd: int(in.Fd())}
	if !term.IsTerminal(t.fd) || !term.IsTerminal(int(out.Fd())) {
		return nil, errNoTerminal
	}
	return t, nil
}

func (t *terminal) Start() error {
	if t.saved != nil {
		return nil
	}
	stopped, stop, err := os.Pipe()
	if err != nil {
		return err
	}
	saved, err := term.MakeRaw(t.fd)
	if err != nil {
		stopped.Close()
		stop.Close()
		return err
	}
	t.saved, t.stop, t.stopped = saved, stop, stopped
	return nil
}

// Drain ends a read in progress.
func (t *terminal) Drain() error {
	if t.saved == nil {
		return nil
	}
	return t.stop.Close()
}

// Stop restores the terminal's modes. It comes after Drain.
func (t *terminal) Stop() error {
	t.NotifyResize(nil)
	if t.saved == nil {
		return nil
	}
	err := term.Restore(t.fd, t.saved)
	t.saved = nil
	t.reading.Lock()
	defer t.reading.Unlock()
	t.stopped.Close()
	return err
}

func (t *terminal) Close() error { return nil }

func (t *terminal) Read(p []byte) (int, error) {
	t.reading.Lock()
	defer t.reading.Unlock()
	for {
		fds := []unix.PollFd{{Fd: int32(t.fd), Events: unix.POLLIN}, {Fd: int32(t.stopped.Fd()), Events: unix.POLLIN}}
		switch _, err := unix.Poll(fds, -1); {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, err
		case fds[1].Revents != 0:
			return 0, io.EOF
		default:
			n, err := unix.Read(t.fd, p)
			switch {
			case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
				continue
			case err != nil:
				return 0, err
			case n == 0:
				return 0, io.EOF
			}
			return n, nil
		}
	}
}

func (t *terminal) Write(p []byte) (int, error) { return t.out.Write(p) }

func (t *terminal) WindowSize() (size tty.WindowSize, err error) {
	const usualWidth, usualHeight = 80, 24 // if the terminal does not report it
	ws, err := unix.IoctlGetWinsize(t.fd, unix.TIOCGWINSZ)
	if err != nil {
		return size, err
	}
	size.Width, size.Height = int(ws.Col), int(ws.Row)
	if size.Width == 0 {
		size.Width = usualWidth
	}
	if size.Height == 0 {
		size.Height = usualHeight
	}
	return size, nil
}

// NotifyResize signals each new size until it is called with nil.
func (t *terminal) NotifyResize(resized chan<- bool) {
	if t.resized != nil {
		signal.Stop(t.resized)
		close(t.resized)
		t.resized = nil
	}
	if resized == nil {
		return
	}
	signals := make(chan os.Signal, 1)
	t.resized = signals
	signal.Notify(signals, syscall.SIGWINCH)
	go func() {
		for range signals {
			select {
			case resized <- true:
			default: // one is enough
			}
		}
	}()
}
