package control

import (
	"net/http"
	"sync/atomic"

	"github.com/providerd/providerd/daemon/slots"
	"github.com/providerd/providerd/store/provider"
)

// scrape answers GET /metrics.
func (s *Server) scrape(c *call) *provider.Error {
	text, err := s.metrics()
	s.extendReply(c)
	if err != nil {
		return asError(err)
	}
	c.count(http.StatusOK)
	c.w.Header()["Content-Type"] = contentText
	if _, err := text.WriteTo(c.w); err != nil {
		panic(http.ErrAbortHandler) // a partial reply must not look complete
	}
	return nil
}

// Stats are the counters of a [Server] since it was made.
type Stats struct {
	Requests uint64         // that began
	Replies  map[int]uint64 // that began, by their HTTP status
	Denied   uint64         // requests denied to their user, and refused connections
	Streams  int64          // open now
	Slots    slots.Counts   // of all providers
}

// Stats returns the counters. It does not wait.
func (s *Server) Stats() Stats {
	replies := make(map[int]uint64)
	for code := range s.codes {
		if n := s.codes[code].Load(); n > 0 {
			replies[code] = n
		}
	}
	return Stats{Requests: s.requests.Load(), Replies: replies, Denied: s.denied.Load(), Streams: s.streams.Load(), Slots: s.slots.counts()}
}

// codes counts replies by HTTP status.
type codes [600]atomic.Uint64

// count counts the reply once: the first status is the one that was sent.
func (c *call) count(status int) {
	if !c.told {
		c.told = true
		c.codes[status].Add(1)
	}
}
