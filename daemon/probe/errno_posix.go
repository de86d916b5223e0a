//go:build !windows

package probe

import "syscall"

// What the system says, by what it means for a probe.
var (
	errnoRefused     = []error{syscall.ECONNREFUSED, syscall.ENOENT, syscall.ENOTDIR} // the latter two: no such socket
	errnoMistyped    = []error{syscall.EPROTOTYPE}                                    // a socket, and not for streams
	errnoReset       = []error{syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE}
	errnoTimeout     = []error{syscall.ETIMEDOUT}
	errnoUnreachable = []error{
		syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN,
		syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT,
	}
	errnoDenied    = []error{syscall.EACCES, syscall.EPERM}
	errnoExhausted = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS}
)
