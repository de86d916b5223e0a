package dashboard

import "time"

var (
	WhoConnects = whoConnects
	JudgePeer   = judgePeer
	NamedOnce   = namedOnce
)

// MaxOurs is the limit on our own connections.
const MaxOurs = maxOurs

// SetHeadTime is how long a request's head, and then its body, may take.
func SetHeadTime(o *ServerOptions, d time.Duration) { o.headTime = d }
