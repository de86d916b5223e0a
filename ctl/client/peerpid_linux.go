package client

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// peerOf is the process that called listen, and its user: those of systemd for a socket
// that it passes on. The process is for information, never to be trusted.
func peerOf(conn conn) (pid, uid int) {
	uid = -1
	if file, ok := conn.(syscall.Conn); ok {
		if raw, err := file.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) {
				if u, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
					pid, uid = int(u.Pid), int(u.Uid)
				}
			})
		}
	}
	return pid, uid
}
