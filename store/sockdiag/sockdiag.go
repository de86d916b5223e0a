// Package sockdiag asks the Linux kernel about one TCP socket of this machine, by sock_diag(7).
// That needs no capability. The prober asks who listens before it sends a key; the dashboard
// asks who connects.
//
// It imports the standard library and golang.org/x/sys.
package sockdiag

import "errors"

// A Socket is a TCP socket as it was when the kernel was asked.
type Socket struct {
	// Listening means that it accepts connections and is not one itself.
	Listening bool
	// UID is the socket's user, as numbered in the user namespace of this process. It can stand
	// for users who have no number there; see [github.com/providerd/providerd/store/userns].
	UID uint32
	// Inode distinguishes sockets while they are open. It is 0 if no process holds the socket;
	// UID is then meaningless, and usually 0.
	Inode uint64
}

var (
	// ErrNone means that there is no such socket.
	ErrNone = errors.New("there is no such socket")
	// ErrUnsupported means that this system does not report whose a socket is.
	ErrUnsupported = errors.New("this system does not say whose a socket is")
)
