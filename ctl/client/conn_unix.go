//go:build unix

package client

import (
	"fmt"
	"os"
	"syscall"
)

// connect makes a connection that is an [os.File], which the runtime's poller serves like
// one of package net. That package is not imported: a program with it that is built with
// cgo links libc, which takes longer to load than the daemon takes to answer.
//
// The connection is made, refused, or to be tried again. If the listener's queue is full,
// connect waits briefly for its turn.
func connect(path string) (conn, error) {
	syscall.ForkLock.RLock() // no child may inherit the socket
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err = syscall.SetNonblock(fd, true); err == nil {
		to := &syscall.SockaddrUnix{Name: path}
		if err = syscall.Connect(fd, to); err == syscall.EAGAIN {
			err = standInLine(fd, to)
		}
	}
	if err != nil {
		_ = syscall.Close(fd)
		return nil, fmt.Errorf("connect to %s: %w", path, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}
