package control

import (
	"net/http"

	"github.com/providerd/providerd/store/provider"
)

// discover answers POST /api/discover. Anybody may ask: the looks are shared, and
// there is at most one a second.
func (s *Server) discover(c *call) *provider.Error {
	c.conn.freeSlot() // it waits for others
	reply, err := s.daemon.Discover(c.r.Context())
	c.conn.takeSlot()
	s.extendReply(c)
	if err != nil {
		return asError(err)
	}
	s.writeJSON(c, http.StatusOK, reply)
	return nil
}
