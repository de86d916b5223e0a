package dashboard

import (
	"errors"
	"net"
	"os"

	"github.com/providerd/providerd/store/sockdiag"
	"github.com/providerd/providerd/store/userns"
)

// whoConnects asks the kernel whose socket is at the other end of a connection, and judges the
// answer.
func whoConnects(c net.Conn) Peer {
	theirs, ok := c.RemoteAddr().(*net.TCPAddr)
	ours, also := c.LocalAddr().(*net.TCPAddr)
	if !ok || !also {
		return PeerUnknown
	}
	s, err := sockdiag.Find(theirs.AddrPort(), ours.AddrPort())
	return judgePeer(s, err, uint32(os.Geteuid()), userns.KnownUser)
}

// judgePeer is what the kernel's answer means to a dashboard of the user own. Some kernels
// report a socket whose process has gone as root's, although it is nobody's.
func judgePeer(s sockdiag.Socket, err error, own uint32, known func(uid uint32) bool) Peer {
	switch {
	case errors.Is(err, sockdiag.ErrUnsupported):
		return PeerUntold
	case err != nil, s.Listening, s.Inode == 0:
		return PeerUnknown
	case known(s.UID) && (s.UID == 0 || s.UID == own):
		return PeerOurs
	}
	return PeerAnother
}
