//go:build unix

package dashboard

import (
	"errors"
	"syscall"
)

func isInUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

func isDenied(err error) bool { return errors.Is(err, syscall.EACCES) }
