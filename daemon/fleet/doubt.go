package fleet

import (
	"time"

	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store/provider"
)

const (
	doubtAfter   = time.Hour // see doubt.held
	forgiving    = 3         // time without a limit counts this many times less than time with one
	ignoreFirst  = time.Hour // other members' limits, after one was found to be false
	ignoreAtMost = 24 * time.Hour
)

// A doubt is how far other members' limits of one key are believed. Nobody probes during a limit,
// so a false one is not found out by the usual checks. If limits that this machine has not met
// itself have held it back for long enough, it makes one probe all the same. If that succeeds, it
// ignores other members' limits of that key for a time, which doubles with each false one until
// this machine meets a limit itself. It does not matter whose name is on a limit: anybody can
// write any.
type doubt struct {
	held    time.Duration // how long limits of others have held, less a third of the time without
	enough  time.Duration // of held, for a check
	looked  time.Time
	checked time.Time     // when a check was ordered that has not been made yet; zero: there is none
	ignored time.Duration // how long limits were ignored the last time
	until   time.Time     // they are ignored until then
}

// doubt is that of the provider's key.
func (e *Engine) doubt(it *item) *doubt {
	d := e.doubts[it.id.Limit]
	if d == nil {
		d = &doubt{}
		e.doubts[it.id.Limit] = d
		e.appease(d, it)
	}
	return d
}

// appease begins to count again. Members choose different times, and later ones if they are many.
func (e *Engine) appease(d *doubt, it *item) {
	d.held = 0
	d.enough = doubtAfter + time.Duration(e.o.Random()*stretchOf(1+len(e.listers(it)))*float64(doubtAfter))
}

// settleDoubt counts how long a provider was held back, and checks whether that is right.
func (e *Engine) settleDoubt(it *item, now time.Time) {
	d := e.doubt(it)
	passed := min(now.Sub(d.looked), 2*tickEvery) // it may have been cut off
	d.looked = now
	switch {
	case it.found.reason == provider.RateLimited && it.found.retryAt.After(now):
		d.ignored = 0
		e.appease(d, it)
		return
	case it.limit.until.After(now):
		d.held += passed
	default:
		d.held = max(0, d.held-passed/forgiving)
	}
	if d.held < d.enough || e.follows() || !e.isAble(it) {
		return
	}
	d.checked = now
	e.appease(d, it)
	id := it.p.ID
	e.order(func() { e.o.Local.Refresh([]string{id}, true) })
}

// refute notes what a probe of ours means for limits of others.
func (e *Engine) refute(it *item, row *provider.Status, how schedule.How, began time.Time) {
	d := e.doubt(it)
	if how != schedule.Probed || d.checked.IsZero() || began.Before(d.checked) {
		return
	}
	d.checked = time.Time{}
	if !row.Reason.Healthy() {
		return
	}
	d.ignored = min(max(ignoreFirst, 2*d.ignored), ignoreAtMost)
	d.until = time.Now().Add(d.ignored)
	e.log.Warn("limits of other members are ignored, because a probe during one succeeded",
		"provider", it.p.ID, "by", it.limit.by, "for", d.ignored)
	for _, it := range e.byLimit[it.id.Limit] {
		e.lift(it)
	}
}

// forgetDoubts drops those of providers that are gone.
func (e *Engine) forgetDoubts() {
	for key := range e.doubts {
		if e.byLimit[key] == nil {
			delete(e.doubts, key)
		}
	}
}
