package probe

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// What the system says, by what it means for a probe. Winsock has numbers of its
// own, which package syscall does not fold into its portable ones.
var (
	errnoRefused     = []error{windows.WSAECONNREFUSED, syscall.ERROR_FILE_NOT_FOUND, syscall.ERROR_PATH_NOT_FOUND}
	errnoMistyped    = []error{windows.WSAEPROTOTYPE}
	errnoReset       = []error{windows.WSAECONNRESET, windows.WSAECONNABORTED}
	errnoTimeout     = []error{windows.WSAETIMEDOUT}
	errnoUnreachable = []error{
		windows.WSAENETUNREACH, windows.WSAEHOSTUNREACH, windows.WSAENETDOWN, windows.WSAEHOSTDOWN,
		windows.WSAEADDRNOTAVAIL, windows.WSAEAFNOSUPPORT,
	}
	errnoDenied    = []error{windows.WSAEACCES}
	errnoExhausted = []error{windows.WSAEMFILE, windows.WSAENOBUFS}
)
