package transport

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// What the system says, by what it means for a probe. Winsock has numbers of its
// own, which package syscall does not fold into its portable ones.
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
