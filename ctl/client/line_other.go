//go:build unix && !linux

package client

import "syscall"

// standInLine does not wait: here a full queue refuses connections.
func standInLine(int, syscall.Sockaddr) error { return syscall.EAGAIN }
