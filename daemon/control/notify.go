package control

import (
	"context"
	"net/http"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// notifications answers GET /api/notify.
func (s *Server) notifications(c *call) *provider.Error {
	s.writeJSON(c, http.StatusOK, s.notifier.List())
	return nil
}

// testSink answers POST /api/notify/{sink}/test, once the receiver has answered.
func (s *Server) testSink(c *call) *provider.Error {
	ctx, cancel := context.WithCancel(c.r.Context())
	defer cancel()
	go func() {
		select {
		case <-s.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	c.conn.freeSlot()
	err := s.notifier.Test(ctx, c.id)
	c.conn.takeSlot()
	s.extendReply(c)
	switch {
	case err != nil && s.isStopping():
		return shuttingDown()
	case err != nil:
		return asError(err)
	}
	s.log.Info("sent a test message", append(c.conn.peer.LogArgs(), "sink", c.id)...)
	s.writeJSON(c, http.StatusOK, provider.NotifyAction{ID: c.id, Status: "delivered"})
	return nil
}

// retrySink answers POST /api/notify/{sink}/retry.
func (s *Server) retrySink(c *call) *provider.Error {
	return s.changeOutbox(c, "retrying", "sending messages again", s.notifier.Retry)
}

// dropOfSink answers POST /api/notify/{sink}/drop.
func (s *Server) dropOfSink(c *call) *provider.Error {
	return s.changeOutbox(c, "dropped", "dropped messages", s.notifier.Drop)
}

func (s *Server) changeOutbox(c *call, status, message string, do func(sink string, messages []string) (int, error)) *provider.Error {
	messages, wrong := s.namedMessages(c)
	if wrong != nil {
		return wrong
	}
	n, err := do(c.id, messages)
	if err != nil {
		return asError(err)
	}
	if n > 0 {
		s.log.Info(message, append(c.conn.peer.LogArgs(), "sink", c.id, "messages", n)...)
	}
	s.writeJSON(c, http.StatusOK, provider.NotifyAction{ID: c.id, Status: status, Messages: n})
	return nil
}

// namedMessages reads the ids of messages; nil: all.
func (s *Server) namedMessages(c *call) ([]string, *provider.Error) {
	b, err := s.readBody(c)
	if err != nil || !b.given("messages") {
		return nil, err
	}
	var ids []string
	if err := b.read("messages", "a list of text", &ids); err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, provider.Errorf(provider.BadRequest, "name a message, or leave it out for all", "messages is an empty list")
	}
	return ids, nil
}

// maintenance answers GET /api/maintenance.
func (s *Server) maintenance(c *call) *provider.Error {
	s.writeMaintenance(c, nil)
	return nil
}

func (s *Server) writeMaintenance(c *call, ended []string) {
	reply := provider.MaintenanceReply{Maintenance: s.notifier.Maintenance(), Ended: ended}
	if reply.Maintenance == nil {
		reply.Maintenance = []provider.Maintenance{}
	}
	s.writeJSON(c, http.StatusOK, reply)
}

// maxMaintenance is longer than anybody plans: a typing error must not silence a provider for
// ever.
const maxMaintenance = 366 * 24 * time.Hour

// maintain answers POST /api/maintenance, once it is saved.
func (s *Server) maintain(c *call) *provider.Error {
	b, wrong := s.readBody(c)
	if wrong != nil {
		return wrong
	}
	ids, wrong := b.ids("provider_id")
	switch {
	case wrong != nil:
		return wrong
	case ids == nil:
		return b.wrong("the body names no provider")
	}
	until, wrong := b.end(time.Now())
	if wrong != nil {
		return wrong
	}
	if _, wrong := pick(s.store.View(), ids); wrong != nil {
		return wrong
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), saveTime)
	defer cancel()
	err := s.notifier.Maintain(ctx, ids, until, c.conn.peer.String())
	s.extendReply(c)
	s.log.Info("announced maintenance", append(c.conn.peer.LogArgs(), "ids", ids, "until", until.UTC().Format(time.RFC3339))...)
	if err != nil {
		return unsaved(err)
	}
	s.writeMaintenance(c, nil)
	return nil
}

// end is the time that a body gives as for or until.
func (b *body) end(now time.Time) (until time.Time, wrong *provider.Error) {
	var length, at string
	if wrong := b.read("for", "text", &length); wrong != nil {
		return until, wrong
	}
	if wrong := b.read("until", "text", &at); wrong != nil {
		return until, wrong
	}
	switch {
	case (length == "") == (at == ""):
		return until, b.wrong("the body must have either for or until")
	case length != "":
		d, wrong := parseDuration("for", length)
		if wrong != nil {
			return until, wrong
		}
		until = now.Add(min(*d, maxMaintenance+time.Hour))
	default:
		t, wrong := parseTime("until", at)
		if wrong != nil {
			return until, wrong
		}
		until = *t
	}
	switch {
	case !until.After(now):
		return until, provider.Errorf(provider.BadRequest, "name a time that is still to come", "the maintenance would be over already")
	case until.Sub(now) > maxMaintenance:
		return until, provider.Errorf(provider.BadRequest, "announce less, or write a [[maintenance]] into the configuration", "maintenance lasts at most 8784h")
	}
	return until, nil
}

// whatMaintained names the providers that a denied caller wanted to maintain.
func (s *Server) whatMaintained(c *call) string {
	if b, err := s.readBody(c); err == nil {
		if ids, err := b.ids("provider_id"); err == nil && len(ids) == 1 {
			return shorten(ids[0])
		}
	}
	return "ID"
}

// whatEnded names the provider whose maintenance a denied caller wanted to end.
func (s *Server) whatEnded(c *call) string {
	switch ids := c.r.URL.Query()["provider_id"]; len(ids) {
	case 0:
		return "--all"
	case 1:
		return shorten(ids[0])
	}
	return "ID"
}

// endMaintenance answers DELETE /api/maintenance, once it is saved.
func (s *Server) endMaintenance(c *call) *provider.Error {
	ids := c.query.ids
	if ids == nil {
		for _, m := range s.notifier.List().Maintenance {
			ids = append(ids, m.ID)
		}
	} else if gone := s.notMaintained(ids); len(gone) > 0 { // one that is in maintenance may have been removed
		if _, wrong := pick(s.store.View(), gone); wrong != nil {
			return wrong
		}
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), saveTime)
	defer cancel()
	ended, err := s.notifier.EndMaintenance(ctx, ids)
	s.extendReply(c)
	if len(ended) > 0 {
		s.log.Info("ended maintenance", append(c.conn.peer.LogArgs(), "ids", ended)...)
	}
	if err != nil {
		return unsaved(err)
	}
	s.writeMaintenance(c, ended)
	return nil
}

// notMaintained are those ids for which no maintenance was announced.
func (s *Server) notMaintained(ids []string) (others []string) {
	announced := map[string]bool{}
	for _, m := range s.notifier.List().Maintenance {
		announced[m.ID] = true
	}
	for _, id := range ids {
		if !announced[id] {
			others = append(others, id)
		}
	}
	return others
}

// unsaved is the error of a change that is made and may be lost.
func unsaved(err error) *provider.Error {
	return provider.Errorf(provider.StoreFailing, "see store_error in: providerctl info", "the change is made, but not saved yet: %v", err)
}
