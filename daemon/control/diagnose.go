package control

import (
	"net/http"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// diagnoseWait is how long a diagnosis waits for its probe by default: longer than a probe
// of a hanging server takes, plus one that was in progress before it.
const diagnoseWait = 15 * time.Second

// diagnose answers POST /api/providers/{id}/diagnose.
func (s *Server) diagnose(c *call) *provider.Error {
	accepted := s.providers.Diagnose(c.id, c.query.force)
	s.logRefresh(c, []string{c.id}, accepted.Generation)
	wait := diagnoseWait
	if c.query.wait != nil {
		wait = *c.query.wait
	}
	reply := provider.DiagnoseReply{Generation: accepted.Generation}
	skipped, late := s.awaitProbes(c, accepted, wait)
	if skipped = append(skipped, accepted.Skipped...); len(skipped) > 0 {
		reply.Skipped = &skipped[0]
	}
	row, err := s.look(c)
	if err != nil { // removed by a reload
		return err
	}
	reply.Diagnostics = *diagnosticsOf(row)
	status := http.StatusOK
	if late != nil {
		reply.Error, status = late, late.Code.HTTPStatus()
	}
	s.writeJSON(c, status, reply)
	return nil
}

// diagnostics answers GET /api/providers/{id}/diagnostics.
func (s *Server) diagnostics(c *call) *provider.Error {
	row, err := s.look(c)
	if err != nil {
		return err
	}
	s.writeJSON(c, http.StatusOK, diagnosticsOf(row))
	return nil
}

// diagnosticsOf is what the last probe saw. It is only in memory: before the first probe
// the verdict is that of the row.
func diagnosticsOf(row *store.Row) *provider.Diagnostics {
	st := &row.Status
	if row.Diagnostics != nil {
		d := *row.Diagnostics
		d.Verdict.NextCheck = st.NextCheckAt // the plan of the completed probe may be out of date: it may have been paused since
		return &d
	}
	return &provider.Diagnostics{
		ID:       st.ID,
		Kind:     st.Kind,
		Endpoint: st.Endpoint,
		Verdict: provider.Verdict{
			State: st.State, Reason: st.Reason, Saw: st.Reason,
			Detail: st.Detail, Doubt: st.Doubt, Hint: st.Hint, NextCheck: st.NextCheckAt,
		},
	}
}
