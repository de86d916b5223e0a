package socket

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// credentials reads SO_PEERCRED and SO_PEERGROUPS (unix(7), socket(7)).
func credentials(fd int) Peer {
	u, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return Peer{}
	}
	return Peer{Known: true, UID: u.Uid, GID: u.Gid, PID: int(u.Pid), Groups: peerGroups(fd)}
}

// peerGroups returns the supplementary groups; none before Linux 4.13, where only the primary
// group counts.
func peerGroups(fd int) []uint32 {
	groups := make([]uint32, 32)
	for {
		size := uint32(len(groups) * 4)
		// x/sys/unix has no call for an option whose value is an array of numbers.
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(&groups[0])), uintptr(unsafe.Pointer(&size)), 0)
		switch {
		case errno == 0:
			return groups[:size/4]
		case errno == unix.ERANGE && int(size/4) > len(groups): // size is what is needed
			groups = make([]uint32, size/4)
		default:
			return nil
		}
	}
}
