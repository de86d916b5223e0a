package transport

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// The system's errors, by what they mean for a probe. Winsock has its own numbers, which
// package syscall does not map to its portable ones.
var (
	Refused     = []error{windows.WSAECONNREFUSED, syscall.ERROR_FILE_NOT_FOUND, syscall.ERROR_PATH_NOT_FOUND}
	Mistyped    = []error{windows.WSAEPROTOTYPE}
	Reset       = []error{windows.WSAECONNRESET, windows.WSAECONNABORTED}
	TimedOut    = []error{windows.WSAETIMEDOUT}
	Unreachable = []error{
		windows.WSAENETUNREACH, windows.WSAEHOSTUNREACH, windows.WSAENETDOWN, windows.WSAEHOSTDOWN,
		windows.WSAEADDRNOTAVAIL, windows.WSAEAFNOSUPPORT,
	}
	Denied = []error{windows.WSAEACCES}
)
