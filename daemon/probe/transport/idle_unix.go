//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package transport

import (
	"net"
	"syscall"
)

// isSilent reports, without waiting and without consuming anything, whether the peer has
// neither sent a byte nor closed. A connection that cannot be checked counts as silent.
func isSilent(c net.Conn) bool {
	socket, ok := c.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	silent := false
	err = raw.Control(func(fd uintptr) { // not Read, which prepares to wait
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		silent = err == syscall.EAGAIN
	})
	return silent && err == nil
}
