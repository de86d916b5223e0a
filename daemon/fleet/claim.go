package fleet

import (
	"context"
	"time"

	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/store/provider"
)

// isAble reports whether this machine can probe a provider for others.
func (e *Engine) isAble(it *item) bool {
	row, _ := e.o.Row(it.p.ID)
	return row != nil && !row.Paused && row.Reason != provider.Offline && (!it.found.known || judge.Believable(it.found.reason))
}

// isUnserved reports whether another member has the claim, and writes no row. A limit is a reason
// not to probe.
func (it *item) isUnserved(now time.Time) bool {
	since := later(later(it.seen.at, it.heardAt), it.limit.until)
	return it.claim.member != "" && !it.claim.mine && now.Sub(since) >= servedWithin
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// settleClaim claims what nobody has or serves, and gives back what this machine cannot probe.
func (e *Engine) settleClaim(it *item, now time.Time) {
	key := wire.Claims + it.id.FP.String()
	able := e.isAble(it) // if it is not, a later look finds out that it is
	switch {
	case it.holds() && !able:
		e.giveBack(it, key)
	case !able, it.claiming, it.claim.member != "" && !it.isUnserved(now):
		it.claimAt = time.Time{}
	case it.claimAt.IsZero():
		it.claimAt = now.Add(waitOfRank(it.id.FP, e.self(), e.listers(it)) + time.Duration(e.o.Random()*float64(rankWait)/2))
	case !it.claimAt.After(now.Add(time.Millisecond)):
		it.claimAt, it.claiming = time.Time{}, true
		e.claimNow(it, key)
	}
}

func (e *Engine) claimNow(it *item, key string) {
	var revision int64
	var won bool
	unserved := it.claim.epoch
	value := wire.Claim{Member: e.self()}.Encode()
	e.put(func(ctx context.Context, s bus.Session) (err error) {
		if unserved != 0 {
			if _, err := s.DeleteFenced(ctx, key, unserved, key); err != nil {
				return err
			}
		}
		revision, won, err = s.Claim(ctx, key, value)
		return err
	}, func(err error) {
		it.claiming = false
		e.dirty[it] = struct{}{}
		switch {
		case err != nil:
			it.claimAt = time.Now().Add(tickEvery)
		case !won || revision == it.returned:
			// Somebody was faster.
		case e.byFP[it.id.FP] == nil:
			e.release(it.id.FP, revision, key) // the provider was removed meanwhile
		case e.byFP[it.id.FP] == it:
			e.take(it, revision)
		}
	})
}

// take makes this machine the prober, because a claim of its own exists.
func (e *Engine) take(it *item, revision int64) {
	if it.claim.mine && it.claim.epoch == revision {
		return
	}
	e.count.Claims++
	it.claim = claim{member: e.self(), epoch: revision, mine: true}
	it.found.probes = 0
	it.written = wire.Row{}
	it.answered = max(it.answered, it.row.Refresh)
	e.tellChanged()
	old := time.Since(it.found.began) > it.p.Interval || it.found.began.Before(it.begunAt)
	if old && it.refresh <= it.answered { // otherwise settleRefresh probes
		id := it.p.ID
		e.order(func() { e.o.Local.CheckSoon(id) })
	}
}

// giveBack deletes the own claim.
func (e *Engine) giveBack(it *item, key string) {
	epoch := it.claim.epoch
	it.claim.mine, it.returned = false, epoch
	e.put(func(ctx context.Context, s bus.Session) error {
		_, err := s.DeleteFenced(ctx, key, epoch, key)
		return err
	}, func(err error) {
		if err != nil && it.claim.epoch == epoch { // the next look tries again
			it.claim.mine, it.returned = true, 0
		}
	})
}

// release deletes the claim of a provider that is not one of ours any more, and other keys with
// it.
func (e *Engine) release(fp wire.FP, epoch int64, keys ...string) {
	claim := wire.Claims + fp.String()
	e.put(func(ctx context.Context, s bus.Session) error {
		_, err := s.DeleteFenced(ctx, claim, epoch, keys...)
		return err
	}, func(err error) {
		if err != nil {
			e.joined.unreleased = append(e.joined.unreleased, func() {
				if it := e.byFP[fp]; it == nil || it.claim.epoch != epoch { // else it is ours again
					e.release(fp, epoch, keys...)
				}
			})
		}
	})
}
