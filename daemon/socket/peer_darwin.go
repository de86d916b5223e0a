package socket

import "golang.org/x/sys/unix"

// credentials reads LOCAL_PEERCRED, whose groups begin with the primary one, and
// LOCAL_PEERPID (unix(4), sys/un.h).
func credentials(fd int) Peer {
	x, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil || x.Ngroups < 1 {
		return Peer{}
	}
	p := Peer{
		Known:  true,
		UID:    x.Uid,
		GID:    x.Groups[0],
		Groups: x.Groups[:min(int(x.Ngroups), len(x.Groups))],
	}
	if pid, err := unix.GetsockoptInt(fd, unix.SOL_LOCAL, unix.LOCAL_PEERPID); err == nil {
		p.PID = pid
	}
	return p
}
