package control

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// refresh answers POST /api/providers/refresh.
func (s *Server) refresh(c *call) *provider.Error {
	named, err := s.named(c)
	if err != nil {
		return err
	}
	var ids []string // nil: all, including those that a reload adds meanwhile
	if named != nil {
		rows, err := pick(s.store.View(), named)
		if err != nil {
			return err
		}
		ids = idsOf(rows)
	}
	accepted := s.providers.Refresh(ids, c.query.force)
	reply := refreshReply(ids, accepted)
	s.logRefresh(c, ids, accepted.Generation)
	status := http.StatusAccepted
	if c.query.wait != nil {
		status = s.awaitRefresh(c, &reply, accepted)
	}
	rows, err := pick(s.store.View(), named)
	if err != nil { // removed by a reload: there is nothing to refresh or to show
		return err
	}
	if c.query.wait != nil {
		reply.Providers = current(rows, time.Now())
	}
	s.writeJSON(c, status, reply)
	return nil
}

// named are the providers that the query or the body names; nil means all.
func (s *Server) named(c *call) ([]string, *provider.Error) {
	b, err := s.readBody(c)
	if err != nil {
		return nil, err
	}
	ids, err := b.ids("provider_id")
	switch {
	case err != nil:
		return nil, err
	case ids == nil:
		return c.query.ids, nil
	case c.query.ids != nil && !slices.Equal(eachOnce(ids), eachOnce(c.query.ids)):
		return nil, provider.Errorf(provider.BadRequest, "give it in one of them only", "provider_id differs between the query and the body")
	}
	return ids, nil
}

// eachOnce are the ids in one order, each once.
func eachOnce(ids []string) []string { return slices.Compact(slices.Sorted(slices.Values(ids))) }

// refreshReply says what was triggered: one, several or all.
func refreshReply(ids []string, accepted schedule.Accepted) provider.RefreshReply {
	reply := provider.RefreshReply{
		Status:     "refresh_triggered",
		Generation: accepted.Generation,
		Skipped:    accepted.Skipped,
	}
	switch len(ids) {
	case 0:
		reply.Scope = "all"
		reply.Message = "Triggered refresh for all providers"
	case 1:
		reply.ProviderID = ids[0]
		reply.Message = "Triggered refresh for provider: " + ids[0]
	default:
		reply.IDs = ids
		reply.Message = "Triggered refresh for providers: " + strings.Join(ids, ", ")
	}
	return reply
}

// awaitRefresh completes the reply with the results, and returns the HTTP status.
func (s *Server) awaitRefresh(c *call, reply *provider.RefreshReply, accepted schedule.Accepted) int {
	var skipped []provider.Skipped
	skipped, reply.Error = s.awaitProbes(c, accepted, *c.query.wait)
	reply.Skipped = append(reply.Skipped, skipped...)
	if reply.Error != nil {
		return reply.Error.Code.HTTPStatus()
	}
	reply.Status = "refreshed"
	return http.StatusOK
}

// awaitProbes waits for the accepted probes. It returns those that will not come: of a
// provider that was paused meanwhile, or that is rate-limited according to the probe in
// progress. The error names those that did not come in time.
func (s *Server) awaitProbes(c *call, accepted schedule.Accepted, wait time.Duration) ([]provider.Skipped, *provider.Error) {
	probed := func(r *store.Row) bool { return r.Status.Generation >= accepted.Generation }
	limited := func(r *store.Row) bool { return !c.query.force && rateLimited(r) }
	ok := s.await(c.r.Context(), accepted.IDs, wait, func(r *store.Row) bool {
		return probed(r) || r.Status.Paused || limited(r)
	})
	s.extendReply(c)
	v := s.store.View()
	var skipped []provider.Skipped
	var missing []string
	for _, id := range accepted.IDs {
		row := v.Row(id)
		switch {
		case row == nil || probed(row):
		case row.Status.Paused:
			skipped = append(skipped, provider.Skipped{ID: id, Reason: provider.Paused, Message: id + " was paused meanwhile"})
		case limited(row):
			skipped = append(skipped, provider.Skipped{ID: id, Reason: provider.RateLimited,
				RetryAt: row.Status.RetryAt, Message: id + " has become rate-limited: no request before retry_at"})
		default:
			missing = append(missing, id)
		}
	}
	switch {
	case ok || len(missing) == 0:
		return skipped, nil
	case s.isStopping():
		return skipped, shuttingDown()
	}
	return skipped, provider.Errorf(provider.TimedOut, "the probes continue: ask again, or see: providerctl status",
		"no result within %s: %s", wait, shorten(strings.Join(missing, ", ")))
}

// current is the rows as they are now.
func current(rows []*store.Row, now time.Time) []provider.Status {
	statuses := make([]provider.Status, 0, len(rows))
	for _, row := range rows {
		statuses = append(statuses, row.Current(now))
	}
	return statuses
}
