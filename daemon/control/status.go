package control

import (
	"net/http"
	"strconv"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// defaultWait is how long a read with max_age waits unless it says otherwise.
const defaultWait = 5 * time.Second

// status answers GET /api/providers/status.
func (s *Server) status(c *call) *provider.Error {
	q, v := &c.query, s.store.View()
	if q.maxAge == nil {
		switch {
		case q.wait != nil:
			return provider.Errorf(provider.BadRequest, "add max_age=0s to have the rows probed first", "wait needs max_age")
		case q.ids == nil:
			writeAll(c, v, time.Now())
			return nil
		}
	}
	rows, err := pick(v, q.ids)
	if err != nil {
		return err
	}
	var young time.Time // rows whose probe began before this are stale
	if q.maxAge != nil {
		young = time.Now().Add(-*q.maxAge)
		s.freshen(c, idsOf(rows), young)
		v = s.store.View()
		if rows, err = pick(v, q.ids); err != nil { // gone by a reload
			return err
		}
	}
	p := s.buffer()
	b := appendTable((*p)[:0], v, rows, young)
	writeBody(c, http.StatusOK, b)
	s.keep(p, b)
	return nil
}

// writeAll sends a [provider.StatusReply] with all rows as they are: the reply
// that nearly everybody asks for, and the largest.
func writeAll(c *call, v store.View, now time.Time) {
	rows := v.Listing(now)
	defer rows.Free()
	var room [store.HeadRoom]byte
	writeBody(c, http.StatusOK, rows.Between(appendHead(room[:0], v, rows.SmallestTTL(), now), tableFoot))
}

// freshen has rows that are older than young probed, and waits until they are
// not, or for as long as the query says.
func (s *Server) freshen(c *call, ids []string, young time.Time) {
	done := func(r *store.Row) bool { return needsNoProbe(r, young) }
	if s.all(ids, done) {
		return
	}
	s.providers.Ensure(ids, *c.query.maxAge)
	wait := defaultWait
	if c.query.wait != nil {
		wait = *c.query.wait
	}
	s.await(c.r.Context(), ids, wait, done)
	s.extendReply(c)
}

// needsNoProbe reports whether it makes no sense to wait for a probe of a row:
// it has the one asked for, or will not be probed.
func needsNoProbe(r *store.Row, young time.Time) bool {
	return fresh(&r.Status, young) || r.Status.Paused || rateLimited(r)
}

// rateLimited reports whether the provider asked us, or a caller, for no request yet.
func rateLimited(r *store.Row) bool {
	st := &r.Status
	return (st.Reason == provider.RateLimited || st.Reported != nil && st.Reported.Reason == provider.RateLimited) &&
		st.RetryAt.After(time.Now())
}

// fresh reports whether the row's probe began at young or later.
func fresh(st *provider.Status, young time.Time) bool {
	return !st.CheckedAt.IsZero() && !st.CheckedAt.Before(young)
}

// appendTable appends a [provider.StatusReply] without building one: its rows
// are encoded already, and only their ages are new. Rows whose probe began before
// young are marked stale; a zero young marks none.
func appendTable(b []byte, v store.View, rows []*store.Row, young time.Time) []byte {
	now := time.Now()
	b = appendHead(b, v, smallestTTL(rows), now)
	for i, row := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendRow(b, row, young, now)
	}
	return append(b, tableFoot...)
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

// tableFoot comes after the rows.
const tableFoot = "]}\n"

// appendRow appends a row, marked stale when its probe began before young.
func appendRow(b []byte, row *store.Row, young, now time.Time) []byte {
	if young.IsZero() || fresh(&row.Status, young) || row.Stale(now) {
		return row.AppendJSON(b, now)
	}
	st := row.Current(now)
	st.Stale = true
	line, err := encode(nil, st)
	if err != nil {
		return row.AppendJSON(b, now)
	}
	return append(b, line[:len(line)-1]...) // without the new line
}

func smallestTTL(rows []*store.Row) int64 {
	if len(rows) == 0 {
		return 0
	}
	smallest := rows[0].Status.TTLMS
	for _, row := range rows[1:] {
		smallest = min(smallest, row.Status.TTLMS)
	}
	return smallest
}
