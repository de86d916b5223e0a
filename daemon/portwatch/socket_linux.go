package portwatch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A socket receives the kernel's messages about closed sockets.
type socket struct {
	file *os.File
	raw  syscall.RawConn
	buf  [4 << 10]byte
}

// groups are those of closed TCP sockets. One that serves both families is of IPv6.
var groups = [...]int{unix.SKNLGRP_INET_TCP_DESTROY, unix.SKNLGRP_INET6_TCP_DESTROY}

// open makes a socket that passes messages about the ports only, from the first one on.
func open(ports []uint16) (*socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, fmt.Errorf("open netlink: %w", err)
	}
	s := &socket{file: os.NewFile(uintptr(fd), "sock_diag")}
	if s.raw, err = s.file.SyscallConn(); err == nil {
		err = s.filter(ports)
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	}
	for _, g := range groups {
		if err == nil {
			err = os.NewSyscallError("join the group", unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, g))
		}
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// filter replaces the filter in one step: no message about a port that stays is lost.
func (s *socket) filter(ports []uint16) error {
	var err error
	for _, most := range spanLimits {
		code := program(ports, most)
		ctlErr := s.raw.Control(func(fd uintptr) {
			err = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
				&unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]})
		})
		if err = errors.Join(ctlErr, err); err == nil {
			return nil
		}
		if !errors.Is(err, unix.ENOMEM) {
			break
		}
	}
	return fmt.Errorf("attach the filter: %w", err)
}

func (s *socket) close() { _ = s.file.Close() } // nothing is written to it

// A batch is what lay in the socket's queue.
type batch struct {
	ports []uint16
	n     int  // messages
	lost  bool // others found no room there
}

// next waits for messages, and returns all that are there.
func (s *socket) next(b batch) (batch, error) {
	b = batch{ports: b.ports[:0]}
	var err error
	readErr := s.raw.Read(func(fd uintptr) bool {
		for b.n <= mostMessages {
			var n int
			n, err = unix.Read(int(fd), s.buf[:])
			switch {
			case err == nil:
				b.n++
				if port, ok := portOf(s.buf[:n]); ok && (len(b.ports) == 0 || b.ports[len(b.ports)-1] != port) {
					b.ports = append(b.ports, port)
				}
			case errors.Is(err, unix.EAGAIN):
				err = nil
				return b.n > 0 || b.lost
			case errors.Is(err, unix.ENOBUFS):
				b.lost = true
			case !errors.Is(err, unix.EINTR):
				return true
			}
		}
		return true
	})
	return b, errors.Join(readErr, err)
}

// portOf is the port of the socket that a message is about.
func portOf(message []byte) (uint16, bool) {
	if len(message) < atPeerPort || binary.NativeEndian.Uint16(message[4:]) != unix.SOCK_DIAG_BY_FAMILY {
		return 0, false
	}
	return binary.BigEndian.Uint16(message[atSourcePort:]), true
}
