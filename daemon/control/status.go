package control

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// defaultWait is how long a read with max_age waits by default.
const defaultWait = 5 * time.Second

// status answers GET /api/providers/status.
func (s *Server) status(c *call) *provider.Error {
	q, v := &c.query, s.store.View()
	var young time.Time // rows whose probe began before this are stale
	if q.maxAge != nil {
		young = time.Now().Add(-*q.maxAge)
	} else if q.wait != nil {
		return provider.Errorf(provider.BadRequest, "add max_age=0s to have the rows probed first", "wait needs max_age")
	}
	if q.ids == nil && s.writeAll(c, v, young) {
		return nil
	}
	rows, err := pick(v, q.ids)
	if err != nil {
		return err
	}
	if q.maxAge != nil && s.freshen(c, rows, young) {
		v = s.store.View()
		if rows, err = pick(v, q.ids); err != nil { // removed by a reload
			return err
		}
	}
	s.writeRows(c, v, rows, young)
	return nil
}

// writeAll sends a [provider.StatusReply] with all rows as they are: the most frequent
// reply, and the largest. It sends nothing and reports false if rows may have to be marked
// as stale because their probe began before young, or if other readers hold all listings.
func (s *Server) writeAll(c *call, v store.View, young time.Time) bool {
	now := time.Now()
	l := v.Listing(now)
	if l == nil {
		return false
	}
	defer l.Free()
	if !young.IsZero() && !l.BeganSince(young) {
		return false
	}
	var room [store.HeadRoom]byte
	head := appendHead(room[:0], v, l.SmallestTTL(), now)
	foot := s.foot(nil)
	startBody(c, http.StatusOK, len(head)+l.Len()+len(foot))
	for piece := range l.Pieces(head, foot) {
		if _, err := c.w.Write(piece); err != nil {
			break // the client has gone
		}
	}
	return true
}

// writeRows sends a [provider.StatusReply] with some rows, and marks those as stale whose
// probe began before young. It holds only a piece of the reply at a time, since many readers
// may be slow.
func (s *Server) writeRows(c *call, v store.View, rows []*store.Row, young time.Time) {
	m := store.Moment{Now: time.Now(), Young: young}
	p := s.buffer()
	size, ttl := m.Measure(rows)
	b := appendHead((*p)[:0], v, ttl, m.Now)
	defer func() { s.keep(p, b) }()
	commas := max(0, len(rows)-1)
	foot := s.foot(c.query.ids)
	startBody(c, http.StatusOK, len(b)+size+commas+len(foot))
	for i, row := range rows {
		if len(b) >= pieceSize {
			if _, err := c.w.Write(b); err != nil {
				return
			}
			b = b[:0]
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = m.AppendRow(b, row)
	}
	b = append(b, foot...)
	c.w.Write(b)
}

// pieceSize is roughly how many bytes of a table are sent at once.
const pieceSize = 128 << 10

// freshen asks for probes of the rows that are older than young, and waits for them as long
// as the query allows. It reports whether there were any.
func (s *Server) freshen(c *call, rows []*store.Row, young time.Time) bool {
	done := func(r *store.Row) bool { return needsNoProbe(r, young) }
	if !slices.ContainsFunc(rows, func(r *store.Row) bool { return !done(r) }) {
		return false
	}
	ids := idsOf(rows)
	s.providers.Ensure(ids, *c.query.maxAge)
	wait := defaultWait
	if c.query.wait != nil {
		wait = *c.query.wait
	}
	s.await(c.r.Context(), ids, wait, done)
	s.extendReply(c)
	return true
}

// needsNoProbe reports whether waiting for a probe of a row makes no sense: it is young
// enough, or will not be probed.
func needsNoProbe(r *store.Row, young time.Time) bool {
	return fresh(&r.Status, young) || r.Status.Paused || rateLimited(r)
}

// rateLimited reports whether the provider has asked for no requests yet.
func rateLimited(r *store.Row) bool {
	st := &r.Status
	return (st.Reason == provider.RateLimited || st.Reported != nil && st.Reported.Reason == provider.RateLimited) &&
		st.RetryAt.After(time.Now())
}

// fresh reports whether the row's probe began at young or later.
func fresh(st *provider.Status, young time.Time) bool {
	return !st.CheckedAt.IsZero() && !st.CheckedAt.Before(young)
}

// appendHead appends what comes before the rows.
func appendHead(b []byte, v store.View, ttl int64, now time.Time) []byte {
	b = append(b, `{"ts":"`...)
	b, _ = provider.Time{Time: now}.AppendText(b) // never fails
	b = append(b, `","cache_ttl_ms":`...)
	b = strconv.AppendInt(b, ttl, 10)
	b = append(b, `,"seq":`...)
	b = strconv.AppendUint(b, v.Seq(), 10)
	return append(b, `,"providers":[`...)
}

// tableFoot comes after the rows if no provider is in maintenance or has slots.
const tableFoot = "]}\n"
