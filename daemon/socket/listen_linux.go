package socket

import (
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// bind gives the socket its mode through the umask of a thread that does not share its umask
// with others. The umask of the process does not change, so that files that other goroutines
// create meanwhile have the right mode.
func bind(path string, mode os.FileMode) (*net.UnixListener, error) {
	type result struct {
		l   *net.UnixListener
		err error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			runtime.UnlockOSThread()
			l, err := bindUnderUmask(path, mode) // a sandbox may forbid unshare
			done <- result{l, err}
			return
		}
		// The thread is never unlocked: it ends with this goroutine, and its
		// umask with it.
		unix.Umask(int(0o777 &^ mode))
		l, err := listenUnix(path)
		done <- result{l, err}
	}()
	r := <-done
	return r.l, r.err
}
