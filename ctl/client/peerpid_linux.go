package client

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// pidOf is the process that called listen, which is systemd for a socket that it passes on.
// It is for people to read, never to be trusted.
func pidOf(conn conn) (pid int) {
	if file, ok := conn.(syscall.Conn); ok {
		if raw, err := file.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) {
				if u, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
					pid = int(u.Pid)
				}
			})
		}
	}
	return pid
}
