package buses

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/store/userns"
)

// ForeignListener names the user who listens at the other end of a Unix connection; empty
// if that is root or this user.
func ForeignListener(c net.Conn) (whose string) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return ""
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return "an unknown user"
	}
	whose = "an unknown user"
	_ = raw.Control(func(fd uintptr) { // on an error it stays unknown
		switch cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); {
		case err != nil:
		case !userns.KnownUser(cred.Uid):
			whose = "a user of another namespace"
		case cred.Uid == 0 || int(cred.Uid) == os.Geteuid():
			whose = ""
		default:
			whose = fmt.Sprintf("uid %d", cred.Uid)
		}
	})
	return whose
}
