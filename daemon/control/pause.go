package control

import (
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// saveTime is how long a change of a row may take to reach the disk before the caller gets
// an error.
const saveTime = 5 * time.Second

// pause answers POST /api/providers/{id}/pause.
func (s *Server) pause(c *call) *provider.Error { return s.setPaused(c, true) }

// resume answers POST /api/providers/{id}/resume.
func (s *Server) resume(c *call) *provider.Error { return s.setPaused(c, false) }

// setPaused replies with the row once it shows the change, which is when the change is on
// the disk.
func (s *Server) setPaused(c *call, paused bool) *provider.Error {
	what := "resumed provider: "
	if paused {
		what = "paused provider: "
	}
	if err := s.providers.SetPaused(c.id, paused); err != nil {
		return asError(err)
	}
	s.log.Info(what+c.id, c.conn.peer.LogArgs()...)
	saved := s.await(c.r.Context(), []string{c.id}, saveTime, func(r *store.Row) bool {
		// The visible row may show it by chance, if the change before is not saved either.
		return r.Status.Paused == paused && !s.store.Waiting(c.id)
	})
	s.extendReply(c)
	if !saved {
		return provider.Errorf(provider.StoreFailing, "see store_error in: providerctl info", "the change is made, but not saved yet")
	}
	return s.row(c)
}
