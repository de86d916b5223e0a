package probe

import "github.com/providerd/providerd/store/provider"

// forwarded is what to do about a connection that is accepted and closed without a byte.
// What forwards a port accepts connections even if nothing listens behind it: docker-proxy
// and the like, and the tunnels of sshd and kubectl.
const forwarded = "in a container, make the server listen on 0.0.0.0 instead of 127.0.0.1, or wait until it has started; " +
	"behind a tunnel, check its other end; otherwise look at the server's log"

// closedUnheard is the finding if the connection ended before the answer, or within it.
func (r *run) closedUnheard(heard string) finding {
	found := finding{saw: provider.ConnectionReset, detail: "the connection was closed before an answer"}
	if heard == "" && r.p.provider.Type != provider.Cloud && r.p.proxy == nil {
		found.hint = forwarded
	}
	return found
}
