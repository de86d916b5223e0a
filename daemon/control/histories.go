package control

import (
	"net/http"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// histories answers GET /api/history.
func (s *Server) histories(c *call) *provider.Error {
	if wrong := c.query.beginsOnce(); wrong != nil {
		return wrong
	}
	rows, wrong := pick(s.store.View(), c.query.ids)
	if wrong != nil {
		return wrong
	}
	var begin time.Time
	if c.query.from != nil {
		begin = *c.query.from
	}
	p := c.query.period(begin, time.Now())
	pasts, err := s.store.Pasts(idsOf(rows), p.step, p.begin(), p.last().Add(p.step))
	if err != nil {
		return unreadable(err)
	}
	reply := provider.HistoriesReply{Window: p.window(), Times: p.times(), Providers: []provider.History{}}
	for i, row := range rows {
		reply.Providers = append(reply.Providers, entryOf(&row.Status, &p, reply.Times, &pasts[i]))
	}
	s.extendReply(c)
	s.writeJSON(c, http.StatusOK, reply)
	return nil
}

// entryOf is the history of one provider among others.
func entryOf(st *provider.Status, p *period, times []provider.Time, past *store.PastOf) provider.History {
	spells := spellsIn(&past.Record, p.begin(), p.now)
	t := totalOf(past.Buckets)
	outages := outagesIn(spells, p.now, t.all.Usable())
	outages.Last = nil
	h := provider.History{
		ID: st.ID, Kind: st.Kind, Type: st.Type, Since: sinceIn(spells, past.Buckets, p),
		Spent: t.spent(), Probed: t.probed(), Outages: outages,
		Up: make([]*float64, len(times)), Usable: make([]*float64, len(times)), Known: make([]float64, len(times)),
	}
	h.UptimeRatio, h.UsableRatio = t.ratios()
	for i := range past.Buckets {
		b := &past.Buckets[i]
		at := int(b.Time.Sub(p.begin()) / p.step)
		if at < 0 || at >= len(times) {
			continue
		}
		known := b.Known()
		h.Known[at] = fourDecimals(min(1, float64(known)/float64(p.step)))
		h.Up[at], h.Usable[at] = shortPart(b.In(provider.StateRunning), known), shortPart(b.Usable(), known)
	}
	return h
}

func shortPart(d, known time.Duration) *float64 {
	ratio := partOf(d, known)
	if ratio != nil {
		*ratio = fourDecimals(*ratio)
	}
	return ratio
}
