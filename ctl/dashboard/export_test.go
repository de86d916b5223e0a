package dashboard

import (
	"net"
	"time"
)

var (
	AuthorityOf = authorityOf
	WhoConnects = whoConnects
	JudgePeer   = judgePeer
)

// MaxOurs is the limit on our own connections.
const MaxOurs = maxOurs

// SetHeadTime is how long a request's head, and then its body, may take.
func SetHeadTime(o *ServerOptions, d time.Duration) { o.headTime = d }

// SetPatience is how long a reader may take nothing.
func SetPatience(o *ServerOptions, d time.Duration) { o.patience = d }

// NewCaller is a connection as the server has it.
func NewCaller(c net.Conn, patience time.Duration) net.Conn {
	return &caller{Conn: c, patience: patience, leave: func() {}}
}
