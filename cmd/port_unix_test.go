//go:build unix

package cmd_test

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// hold keeps the kernel from giving a TCP port of 127.0.0.1 to another program, until free
// is called. Connections are refused, and a program that names the port can still listen
// there. A port that was just closed, or was free a moment ago, may belong to another
// program by now.
func hold(address string) (free func(), err error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	unix.CloseOnExec(fd)
	free = func() { _ = unix.Close(fd) }
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		free()
		return nil, err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}); err != nil {
		free()
		return nil, err
	}
	return free, nil
}
