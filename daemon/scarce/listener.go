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
	// watchFor is how long it is watched whether a client comes, while files have run out.
	watchFor = 250 * time.Millisecond
)

// A Listener goes on accepting whatever the system says of one connection: a listener
// that gives up is a daemon that nobody can ask. When files have run out it uses one
// of the reserve, or has a connection closed that can be done without.
type Listener struct {
	net.Listener
	reserve  *Reserve
	shortage *Shortage
	doing    string
	makeRoom func() bool // closes a connection; reports whether there was one

	once   sync.Once
	closed chan struct{}
}

// Wrap makes a Listener of l. Doing is what a shortage is told of, such as "accepting
// a client"; makeRoom may be nil, and so may reserve and shortage.
func Wrap(l net.Listener, doing string, reserve *Reserve, shortage *Shortage, makeRoom func() bool) *Listener {
	if shortage == nil {
		shortage = new(Shortage)
	}
	if makeRoom == nil {
		makeRoom = func() bool { return false }
	}
	return &Listener{Listener: l, reserve: reserve, shortage: shortage, doing: doing, makeRoom: makeRoom, closed: make(chan struct{})}
}

// Accept returns the next connection. Its error is that the listener is closed, or is
// none.
func (l *Listener) Accept() (net.Conn, error) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		nc, err := l.Listener.Accept()
		if err == nil || isEnd(err) {
			return nc, err
		}
		if Is(err) {
			l.shortage.Met(l.doing, err)
			// Linux says so whether or not anybody comes.
			come, known := awaitClient(l.Listener)
			select {
			case <-l.closed: // and so nobody comes, whatever is known
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

// Close ends Accept too, which may rest.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// isEnd reports whether a listener will accept nothing any more.
func isEnd(err error) bool {
	var call *os.SyscallError
	return errors.Is(err, net.ErrClosed) || !errors.As(err, &call) ||
		errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EBADF) || errors.Is(err, syscall.ENOTSOCK)
}
