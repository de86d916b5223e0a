package control

import (
	"net/http"
	"time"

	"github.com/providerd/providerd/daemon/outage"
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
	s.writeJSON(c, http.StatusOK, summarise(&row.Status, events, s.providers.Watch(), time.Now()))
	return nil
}

// summarise adds up how long each state lasted, as far as it is known: since the
// first event that is kept, but not before this daemon began to look; and not while
// probing was paused or the state UNKNOWN, as that of a remote provider is while this
// machine has no network; nor while nobody looked, because this machine slept or the
// daemon was held up; nor where events are gone. A clock that was set is not time that
// passed. Of a provider whose events all have given way to those of others, the row
// tells the last state and since when.
func summarise(st *provider.Status, events []provider.Event, watch outage.Watch, now time.Time) provider.HistoryReply {
	reply := provider.HistoryReply{ID: st.ID, StateSeconds: map[provider.State]float64{}, Transitions: events}
	spells := spellsOf(events, watch)
	if len(spells) == 0 {
		reply.Transitions = []provider.Event{}
		if st.Since.IsZero() {
			return reply
		}
		spells = []spell{{st.Since.Time, st.State, st.Reason}}
	}
	reply.Since = provider.AtMost(provider.Time{Time: later(spells[0].from, watch.Began())}, now)
	var known time.Duration
	lasted := map[provider.State]time.Duration{}
	for i, spell := range spells {
		until := now
		if i+1 < len(spells) {
			until = spells[i+1].from
		}
		d := watch.Seen(spell.from, until)
		if d <= 0 || spell.state == "" || spell.state == provider.StateUnknown || spell.reason == provider.Paused {
			continue
		}
		lasted[spell.state] += d
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

// A spell is a state that lasts until the next one; none: it is not known.
type spell struct {
	from   time.Time // on the clock as it is now
	state  provider.State
	reason provider.Reason
}

// spellsOf returns what is known of a provider's states, oldest first. Where a clock
// was set back a little, a state lasts no time rather than less.
func spellsOf(events []provider.Event, watch outage.Watch) []spell {
	spells := make([]spell, 0, len(events))
	var own provider.Event // what was last told of the provider itself
	for i, e := range events {
		switch {
		case e.ID != provider.HostID:
			own = e
		case e.Reason != provider.Offline: // this machine is back: what held before holds again
			e.To, e.Reason = own.To, own.Reason
		}
		from := watch.At(&e)
		if i > 0 {
			from = later(from, spells[i-1].from)
		}
		spells = append(spells, spell{from, e.To, e.Reason})
	}
	return spells
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
