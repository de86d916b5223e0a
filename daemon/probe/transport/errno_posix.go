//go:build !windows

package transport

import "syscall"

// The system's errors, by what they mean for a probe.
var (
	Refused     = []error{syscall.ECONNREFUSED, syscall.ENOENT, syscall.ENOTDIR} // the latter two: no such socket
	Mistyped    = []error{syscall.EPROTOTYPE}                                    // a socket, but not for streams
	Reset       = []error{syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE}
	TimedOut    = []error{syscall.ETIMEDOUT}
	Unreachable = []error{
		syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN,
		syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT,
	}
	Denied = []error{syscall.EACCES, syscall.EPERM}
)
