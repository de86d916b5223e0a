package control

import (
	"net/http"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// diagnoseWait is how long a diagnosis waits for its probe unless it is told: longer
// than one of a server that hangs takes, and one that was under way before it.
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
	if err != nil { // gone by a reload
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

// diagnosticsOf is what the last probe saw. It is kept in memory only: before the first
// probe there is the row's own verdict.
func diagnosticsOf(row *store.Row) *provider.Diagnostics {
	st := &row.Status
	if row.Diagnostics != nil {
		d := *row.Diagnostics
		d.Verdict.NextCheck = st.NextCheckAt // what was planned when the probe completed may not hold: it was paused since
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
