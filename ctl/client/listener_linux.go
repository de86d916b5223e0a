package client

import (
	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/store/userns"
)

// credentials reads SO_PEERCRED, of the process that called listen (unix(7)). For a socket
// of systemd that is root.
func credentials(fd int) listener {
	u, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return nobodyTold
	}
	return listener{told: true, known: userns.KnownUser(u.Uid), uid: u.Uid}
}
