package probe

import (
	"context"

	"github.com/providerd/providerd/store/provider"
)

// otherLoopback asks at this machine's other loopback address, if the provider has two and
// something at the first accepts and closes. A container's published port often does that
// at ::1 while the server is at 127.0.0.1. If the other address is no better, both are
// named.
func (r *run) otherLoopback(ctx context.Context, found finding) finding {
	from, to, ok := r.p.dialer.Turn(r.p.localhost)
	if !ok || ctx.Err() != nil {
		return found
	}
	r.p.transport.CloseIdleConnections()
	withheld := r.withheld
	r.withheld = "" // another listener, which may be trusted
	again := r.decide(ctx)
	switch where := r.p.dialer.Where(); {
	case again.saw != provider.ConnectionReset && again.saw != provider.ConnectionRefused:
		return again
	case again.saw == provider.ConnectionReset && where == to:
		found.detail = "at both " + from + " and " + to + ": " + found.detail
	default:
		found.detail = "nothing listens at " + to + "; at " + from + ": " + found.detail
		if where == to {
			r.p.dialer.Turn(r.p.localhost)
		}
	}
	r.withheld = withheld
	return found
}
