//go:build unix

package scarce

import (
	"math"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

var exhausted = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS}

// awaitClient waits a while for somebody to connect to l. known is whether it can tell.
func awaitClient(l net.Listener) (come, known bool) {
	conn, ok := l.(syscall.Conn)
	if !ok {
		return false, false
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return false, false
	}
	asked := raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		var n int
		n, err = unix.Poll(fds, int(watchFor.Milliseconds()))
		come = n > 0
	})
	return come, asked == nil && (err == nil || err == unix.EINTR)
}

// Limit is how many files this process may have open: the soft limit, which
// Go raises to the hard one when a program starts.
func Limit() uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxUint64
	}
	return uint64(limit.Cur)
}
