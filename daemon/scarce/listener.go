package scarce

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	firstPause = 5 * time.Millisecond
	lastPause  = time.Second
	// watchFor is how long to wait for a client at a time, while no file is left.
	watchFor = 250 * time.Millisecond
)

// A Listener keeps accepting whatever error one connection causes: a daemon whose
// listener gives up can no longer be asked anything. When no file is left it takes one
// from the reserve, or has a dispensable connection closed.
type Listener struct {
	net.Listener
	reserve  *Reserve
	shortage *Shortage
	doing    string
	makeRoom func() bool // closes a connection; reports whether there was one

	once   sync.Once
	closed chan struct{}
}

// Wrap makes a Listener of l. doing describes what a shortage prevented, such as
// "accepting a client"; makeRoom, reserve and shortage may be nil.
func Wrap(l net.Listener, doing string, reserve *Reserve, shortage *Shortage, makeRoom func() bool) *Listener {
	if shortage == nil {
		shortage = new(Shortage)
	}
	if makeRoom == nil {
		makeRoom = func() bool { return false }
	}
	return &Listener{Listener: l, reserve: reserve, shortage: shortage, doing: doing, makeRoom: makeRoom, closed: make(chan struct{})}
}

// Accept returns the next connection. It fails only if the listener is closed or invalid.
func (l *Listener) Accept() (net.Conn, error) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		nc, err := l.Listener.Accept()
		if err == nil || isEnd(err) {
			return nc, err
		}
		if Is(err) {
			l.shortage.Met(l.doing, err)
			// Linux returns this even if nobody connects.
			come, known := awaitClient(l.Listener)
			select {
			case <-l.closed: // closed, so it does not matter whether anybody connects
				return nil, net.ErrClosed
			default:
			}
			if known && !come {
				pause = firstPause
				continue
			}
			if l.reserve.Release() || l.makeRoom() {
				if nc, err = l.Listener.Accept(); err == nil {
					return nc, nil
				}
			}
		}
		select {
		case <-time.After(pause):
		case <-l.closed:
			return nil, net.ErrClosed
		}
	}
}

// Close also ends an Accept that pauses.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// isEnd reports whether a listener will never accept again.
func isEnd(err error) bool {
	var call *os.SyscallError
	return errors.Is(err, net.ErrClosed) || !errors.As(err, &call) ||
		errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EBADF) || errors.Is(err, syscall.ENOTSOCK)
}
