//go:build unix && !linux

package client

import "syscall"

// standInLine: a full queue refuses here, and nobody waits in the kernel.
func standInLine(int, syscall.Sockaddr) error { return syscall.EAGAIN }
