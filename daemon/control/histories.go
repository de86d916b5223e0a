package control

import (
	"bytes"
	"net/http"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
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
	c.conn.freeSlot() // while it waits
	end, wrong := s.sweeps.take(c.r.Context(), c.conn.peer)
	if wrong != nil {
		return wrong
	}
	defer end() // when the reply has been written
	c.conn.takeSlot()
	pause := &breath{conn: c.conn, taken: time.Now()}
	reply := provider.HistoriesReply{Times: p.times(), Providers: []provider.History{}}
	entries := make([]entry, len(rows))
	err := s.store.Collect(idsOf(rows), p.step, p.begin(), p.last().Add(p.step), store.Collector{
		Bucket: func(i int, b *rollup.Bucket) {
			pause.breathe()
			entries[i].add(b, &p, len(reply.Times))
		},
		Record: func(i int, rec *store.Record, at time.Time) {
			pause.breathe()
			p.now = at
			entries[i].judge(rec, &p)
		},
	})
	defer pause.end()
	if err != nil {
		return unreadable(err)
	}
	reply.Window = p.window()
	body, err := encodeHistories(&reply, len(rows), func(i int) provider.History {
		pause.rest()
		return entries[i].history(&rows[i].Status, &p, len(reply.Times))
	})
	if err != nil { // its numbers are finite
		return provider.Errorf(provider.Internal, "", "the reply cannot be encoded")
	}
	s.extendReply(c)
	writeBody(c, http.StatusOK, body)
	return nil
}

// encodeHistories encodes a reply one provider at a time, so that the caller can rest between
// them.
func encodeHistories(reply *provider.HistoriesReply, n int, history func(i int) provider.History) ([]byte, error) {
	body, err := encode(nil, reply)
	body = bytes.TrimSuffix(body, []byte("]}\n")) // the end of an empty list of providers
	for i := 0; i < n && err == nil; i++ {
		if i > 0 {
			body = append(body, ',')
		}
		body, err = encode(body, history(i))
		body = bytes.TrimSuffix(body, []byte("\n"))
	}
	return append(body, "]}\n"...), err
}

// An entry adds up one provider's history.
type entry struct {
	sum     rollup.Bucket
	steps   []step
	outages *provider.Outages
	first   time.Time // the first bucket with known time
	since   provider.Time
}

// A step is what a reply shows of a bucket.
type step struct{ known, up, usable time.Duration }

// add adds a part of a bucket.
func (e *entry) add(b *rollup.Bucket, p *period, steps int) {
	at := int(b.Time.Sub(p.begin()) / p.step)
	if at < 0 || at >= steps {
		return
	}
	if e.steps == nil {
		e.steps = make([]step, steps)
	}
	known := b.Known()
	to := &e.steps[at]
	to.known, to.up, to.usable = to.known+known, to.up+b.In(provider.StateRunning), to.usable+b.Usable()
	if known > 0 && (e.first.IsZero() || b.Time.Before(e.first)) {
		e.first = b.Time
	}
	e.sum.Merge(b)
}

// judge finds the outages, once all buckets have been added.
func (e *entry) judge(rec *store.Record, p *period) {
	spells := spellsIn(rec, p.begin(), p.now)
	e.outages, e.since = outagesIn(spells, p.now, e.sum.Usable()), sinceIn(spells, e.first, p.step)
	e.outages.Last = nil
}

// history is the entry as in a reply.
func (e *entry) history(st *provider.Status, p *period, steps int) provider.History {
	h := provider.History{
		ID: st.ID, Kind: st.Kind, Type: st.Type, Since: e.since, Spent: spentIn(&e.sum), Probed: probedIn(&e.sum), Outages: e.outages,
		Up: make([]*float64, steps), Usable: make([]*float64, steps), Known: make([]float64, steps),
	}
	h.UptimeRatio, h.UsableRatio = ratios(&e.sum)
	for i, of := range e.steps {
		h.Known[i] = fourDecimals(min(1, float64(of.known)/float64(p.step)))
		h.Up[i], h.Usable[i] = shortPart(of.up, of.known), shortPart(of.usable, of.known)
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
