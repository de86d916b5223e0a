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

// bucketed answers GET /api/providers/{id}/history with buckets.
func (s *Server) bucketed(c *call, begin beginning, watch outage.Watch) *provider.Error {
	p := c.query.period(begin.at, time.Now())
	pasts, err := s.store.Pasts([]string{c.id}, p.step, p.begin(), p.last().Add(p.step))
	if err != nil {
		return unreadable(err)
	}
	events, err := s.store.EventsOf(c.id)
	if err != nil {
		return unreadable(err)
	}
	told := beginning{at: p.from, after: begin.after}.cut(events, watch)
	s.writeJSON(c, http.StatusOK, historyIn(c.id, &p, pasts[0].Buckets, &pasts[0].Record, told))
	return nil
}

// unreadable is the error for a history that the disk does not give.
func unreadable(err error) *provider.Error {
	return provider.Errorf(provider.StoreFailing, "ask again in a moment; see: providerctl health", "%v", err)
}

// historyIn is the history of one provider in a period.
func historyIn(id string, p *period, buckets []rollup.Bucket, rec *store.Record, told store.Past) provider.HistoryReply {
	spells := spellsIn(rec, p.begin(), p.now)
	t := totalOf(buckets)
	window, probed := p.window(), t.probed()
	reply := provider.HistoryReply{
		ID: id, Since: sinceIn(spells, buckets, p), Spent: t.spent(), Window: &window, Probed: &probed,
		Outages: outagesIn(spells, p.now, t.all.Usable()),
		Changes: changesOf(spells), Transitions: told.Events, Gaps: told.Gaps,
	}
	reply.UptimeRatio, reply.UsableRatio = t.ratios()
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

// sinceIn is where the known time begins; zero if there is none.
func sinceIn(spells []spell, buckets []rollup.Bucket, p *period) provider.Time {
	var since time.Time
	for _, b := range buckets {
		if b.Known() > 0 {
			since = b.Time
			break
		}
	}
	if since.IsZero() {
		return provider.Time{}
	}
	for _, s := range spells {
		if s.state == provider.StateUnknown {
			continue
		}
		if s.from.Before(since.Add(p.step)) { // more exact than the bucket
			since = later(since, s.from)
		}
		break
	}
	return provider.Time{Time: since}
}

// A total adds up buckets.
type total struct{ all rollup.Bucket }

func totalOf(buckets []rollup.Bucket) (t total) {
	for i := range buckets {
		t.all.Merge(&buckets[i])
	}
	return t
}

// ratios are the parts of the known time in which the provider was up, and usable.
func (t *total) ratios() (up, usable *float64) {
	known := t.all.Known()
	return partOf(t.all.In(provider.StateRunning), known), partOf(t.all.Usable(), known)
}

func (t *total) spent() provider.Spent   { return spentIn(&t.all) }
func (t *total) probed() provider.Probed { return probedIn(&t.all) }

// partOf is a part of known time; nil if there is none.
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

// fourDecimals shortens a share. What is less than all stays less.
func fourDecimals(ratio float64) float64 { return math.Floor(ratio*10_000) / 10_000 }
