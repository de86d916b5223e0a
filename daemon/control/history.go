package control

import (
	"net/http"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// history answers GET /api/providers/{id}/history.
func (s *Server) history(c *call) *provider.Error {
	row, wrong := s.look(c)
	if wrong != nil {
		return wrong
	}
	events, err := s.store.EventsOf(c.id)
	if err != nil {
		return asError(err)
	}
	watched := s.daemon.Info().StartedAt.Time
	s.writeJSON(c, http.StatusOK, summarise(&row.Status, events, watched, time.Now()))
	return nil
}

// summarise adds up how long each state lasted, as far as it is known: since the
// first event that is kept, but not before watched, when this daemon began to
// look; and not while probing was paused or the state UNKNOWN, as that of a remote
// provider is while this machine has no network. Of a provider whose events all have
// given way to those of others, the row tells the last state and since when.
func summarise(st *provider.Status, events []provider.Event, watched, now time.Time) provider.HistoryReply {
	reply := provider.HistoryReply{ID: st.ID, StateSeconds: map[provider.State]float64{}, Transitions: events}
	if len(events) == 0 {
		reply.Transitions = []provider.Event{}
		if st.Since.IsZero() {
			return reply
		}
		events = []provider.Event{{Time: st.Since, To: st.State, Reason: st.Reason}}
	}
	reply.Since = provider.Time{Time: later(events[0].Time.Time, watched)}
	var known time.Duration
	var own provider.Event // what was last told of the provider itself
	lasted := map[provider.State]time.Duration{}
	for i, e := range events {
		switch {
		case e.ID != provider.HostID:
			own = e
		case e.Reason != provider.Offline: // this machine is back: what held before holds again
			e.To, e.Reason = own.To, own.Reason
		}
		until := now
		if i+1 < len(events) {
			until = events[i+1].Time.Time
		}
		// A clock that was set back makes a state last no time rather than less.
		d := until.Sub(later(e.Time.Time, watched))
		if d <= 0 || e.To == "" || e.To == provider.StateUnknown || e.Reason == provider.Paused {
			continue
		}
		lasted[e.To] += d
		known += d
	}
	for state, d := range lasted {
		reply.StateSeconds[state] = d.Round(time.Millisecond).Seconds()
	}
	if known > 0 {
		ratio := float64(lasted[provider.StateRunning]) / float64(known)
		reply.UptimeRatio = &ratio
	}
	return reply
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
