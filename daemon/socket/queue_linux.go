package socket

import (
	"net"

	"golang.org/x/sys/unix"
)

// longestBacklog is more than any system allows; the kernel reduces it (listen(2)).
const longestBacklog = 1 << 16

// resizer changes how many connections may wait at a socket, by calling listen again. That
// also changes who listens, so use it only on a socket of our own.
func resizer(l *net.UnixListener) func(backlog int) {
	raw, err := l.SyscallConn()
	if err != nil {
		return nil
	}
	return func(backlog int) {
		_ = raw.Control(func(fd uintptr) { _ = unix.Listen(int(fd), backlog) }) // on an error it stays as it is
	}
}

// departed reports whether the other end has closed the connection, and whether it did so
// without sending anything.
func departed(nc *net.UnixConn) (gone, mute bool) {
	raw, err := nc.SyscallConn()
	if err != nil {
		return false, false
	}
	err = raw.Control(func(fd uintptr) {
		look := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if n, err := unix.Poll(look, 0); n <= 0 || err != nil || look[0].Revents&unix.POLLHUP == 0 {
			return
		}
		var first [1]byte
		n, _, _ := unix.Recvfrom(int(fd), first[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		gone, mute = true, n <= 0
	})
	return gone && err == nil, mute
}
