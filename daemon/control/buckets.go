package control

import (
	"math"
	"net/http"
	"time"

	"github.com/providerd/providerd/daemon/outage"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

// bucketed answers GET /api/providers/{id}/history in buckets.
func (s *Server) bucketed(c *call, begin beginning, watch outage.Watch) *provider.Error {
	p := c.query.period(begin.at, time.Now())
	past, err := s.store.PastOf(c.id, p.step, p.begin(), p.last().Add(p.step))
	if err != nil {
		return unreadable(err)
	}
	events, err := s.store.EventsOf(c.id)
	if err != nil {
		return unreadable(err)
	}
	p.now = past.At
	told := beginning{at: p.from, after: begin.after}.cut(events, watch)
	s.writeJSON(c, http.StatusOK, historyIn(c.id, &p, past.Buckets, &past.Record, told))
	return nil
}

// unreadable is the error for a history that cannot be read from the disk.
func unreadable(err error) *provider.Error {
	return provider.Errorf(provider.StoreFailing, "ask again in a moment; see: providerctl health", "%v", err)
}

// historyIn is the history of one provider in a period.
func historyIn(id string, p *period, buckets []rollup.Bucket, rec *store.Record, told store.Past) provider.HistoryReply {
	spells := spellsIn(rec, p.begin(), p.now)
	sum := sumOf(buckets)
	window, probed := p.window(), probedIn(&sum)
	reply := provider.HistoryReply{
		ID: id, Since: sinceIn(spells, firstKnown(buckets), p.step), Spent: spentIn(&sum), Window: &window, Probed: &probed,
		Outages: outagesIn(spells, p.now, sum.Usable()),
		Changes: changesOf(spells), Transitions: told.Events, Gaps: told.Gaps,
	}
	reply.UptimeRatio, reply.UsableRatio = ratios(&sum)
	if reply.Transitions == nil {
		reply.Transitions = []provider.Event{}
	}
	for i := range buckets {
		reply.Buckets = append(reply.Buckets, bucketIn(&buckets[i]))
	}
	if last := p.last(); len(buckets) == 0 || buckets[len(buckets)-1].Time.Before(last) {
		reply.Buckets = append(reply.Buckets, bucketIn(&rollup.Bucket{Time: last, Step: p.step}))
	}
	return reply
}

// firstKnown is the beginning of the first bucket with known time, zero if there is none.
func firstKnown(buckets []rollup.Bucket) time.Time {
	for i := range buckets {
		if buckets[i].Known() > 0 {
			return buckets[i].Time
		}
	}
	return time.Time{}
}

// sinceIn is where the known time begins, zero if there is none. It is in the bucket that
// begins at first; the spells are more exact.
func sinceIn(spells []spell, first time.Time, step time.Duration) provider.Time {
	if first.IsZero() {
		return provider.Time{}
	}
	for _, s := range spells {
		if s.state == provider.StateUnknown {
			continue
		}
		if s.from.Before(first.Add(step)) {
			first = later(first, s.from)
		}
		break
	}
	return provider.Time{Time: first}
}

// sumOf adds up buckets.
func sumOf(buckets []rollup.Bucket) (sum rollup.Bucket) {
	for i := range buckets {
		sum.Merge(&buckets[i])
	}
	return sum
}

// ratios returns the parts of the known time in which the provider was up, and usable.
func ratios(b *rollup.Bucket) (up, usable *float64) {
	known := b.Known()
	return partOf(b.In(provider.StateRunning), known), partOf(b.Usable(), known)
}

// partOf is the part that a time is of the known time, nil if none is known.
func partOf(d, known time.Duration) *float64 {
	if known <= 0 {
		return nil
	}
	ratio := min(1, float64(d)/float64(known))
	return &ratio
}

func bucketIn(b *rollup.Bucket) provider.Bucket {
	return provider.Bucket{Time: provider.Time{Time: b.Time}, Spent: spentIn(b), Probed: probedIn(b)}
}

func spentIn(b *rollup.Bucket) provider.Spent {
	spent := provider.Spent{
		KnownSeconds: inSeconds(b.Known()), UsableSeconds: inSeconds(b.Usable()), StateSeconds: map[provider.State]float64{},
	}
	for state, d := range b.States() {
		spent.StateSeconds[state] = inSeconds(d)
	}
	return spent
}

func probedIn(b *rollup.Bucket) provider.Probed {
	return provider.Probed{
		Probes: b.Probes, OK: b.OK, P50MS: provider.Milliseconds(b.Quantile(0.5)),
		P95MS: provider.Milliseconds(b.Quantile(0.95)), P99MS: provider.Milliseconds(b.Quantile(0.99)),
	}
}

// fourDecimals rounds a share down, so that less than all stays less.
func fourDecimals(ratio float64) float64 { return math.Floor(ratio*10_000) / 10_000 }
