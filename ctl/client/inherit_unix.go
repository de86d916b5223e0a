//go:build unix

package client

import (
	"os"
	"syscall"
)

// inherit gives programs that are run from now on a copy of the connection.
func inherit(c conn) error {
	raw, err := c.(*os.File).SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		_, failed = syscall.Dup(int(fd)) // which is not closed on exec
	})
	if err == nil {
		err = failed
	}
	return os.NewSyscallError("dup", err)
}
