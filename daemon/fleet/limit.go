package fleet

import (
	"context"
	"time"

	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/store/provider"
)

// A limit is what is known of a rate limit that a provider shares with others of its key.
type limit struct {
	until   time.Time // zero: there is none
	by      string
	writing bool
	failed  time.Time // when writing it last failed
}

func (e *Engine) changeLimit(k wire.Key, c *bus.Change, all bool) {
	items := e.byLimit[k.FP]
	if len(items) == 0 {
		return
	}
	if c.Value == nil {
		for _, it := range items {
			e.lift(it)
		}
		return
	}
	l, err := wire.ParseLimit(c.Value)
	if err != nil {
		e.refuse()
		return
	}
	if !all || c.Lease == 0 {
		e.hold(items, l, l.Remaining)
		return
	}
	lease, left := c.Lease, time.Duration(0)
	e.put(func(ctx context.Context, s bus.Session) (err error) {
		left, err = s.Left(ctx, lease)
		return err
	}, func(err error) {
		if err != nil {
			left = l.Remaining // too late, never too early
		}
		if left > 0 {
			e.hold(e.byLimit[k.FP], l, min(left, wire.LongestWait))
		}
	})
}

// hold keeps providers from being probed and chosen until a limit ends.
func (e *Engine) hold(items []*item, l wire.Limit, remaining time.Duration) {
	now := time.Now()
	until := now.Add(remaining)
	for _, it := range items {
		own := l.By == e.self() && !it.found.retryAt.Before(until.Add(-2*time.Second)) // it met the limit itself
		if !own && e.doubt(it).until.After(now) {
			continue
		}
		it.limit.until, it.limit.by = until, l.By
		if own {
			it.limitWord.at = time.Time{}
		} else {
			e.tellLimit(it, now)
		}
	}
	e.tellChanged()
}

// lift ends the limit that other members told of.
func (e *Engine) lift(it *item) {
	if it.limit.until.IsZero() {
		return
	}
	now := time.Now()
	it.limit = limit{writing: it.limit.writing}
	it.seen.at = now // the prober probes from now on
	e.tellLimit(it, now)
}

// unhold ends the limit of a provider that is not shared any more.
func (e *Engine) unhold(it *item) {
	if it.limit.until.IsZero() && it.limitWord.at.IsZero() {
		return
	}
	it.limit, it.limitWord = limit{}, word{}
	id := it.p.ID
	e.order(func() { e.o.Local.Hold(id, 0, "") })
}

// tellLimit tells the scheduler of a limit, or of its end.
func (e *Engine) tellLimit(it *item, now time.Time) {
	if !it.limitWord.take(now) {
		return
	}
	id, l := it.p.ID, it.limit
	e.order(func() { e.o.Local.Hold(id, max(0, time.Until(l.until)), l.by) })
}

// extends reports whether a wait is worth writing, if the others wait for that long already. A
// wait that is longer than what the fleet shares is written again and again until it ends.
func extends(shared, wait time.Duration) bool {
	const same = 2 * time.Second
	if wait > wire.LongestWait {
		return shared < wire.LongestWait/2
	}
	return wait > 0 && (shared <= 0 || shared < wait-same)
}

// settleLimit tells everybody of a limit that this machine met.
func (e *Engine) settleLimit(it *item, now time.Time) {
	f := &it.found
	left := f.retryAt.Sub(now)
	if f.reason != provider.RateLimited || it.limit.writing || !extends(it.limit.until.Sub(now), left) || now.Sub(it.limit.failed) < time.Second {
		return
	}
	it.limit.writing = true
	left = min(left, wire.LongestWait)
	key, value := wire.Limits+it.id.Limit.String(), wire.Limit{By: e.self(), Remaining: left}.Encode()
	e.put(func(ctx context.Context, s bus.Session) error {
		_, err := s.PutFor(ctx, key, value, left)
		return err
	}, func(err error) {
		it.limit.writing = false
		if err != nil {
			it.limit.failed = time.Now()
			return
		}
		it.limit.until, it.limit.by = now.Add(left), e.self()
	})
}
