package fleet

import (
	"slices"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store/provider"
)

// An item is a provider of this machine that is shared.
type item struct {
	p  *config.Provider
	id wire.Identity

	turn    schedule.Turn
	turned  time.Time // when it last changed
	stretch float64

	claim claim
	seen  struct { // when it was first seen
		epoch int64
		at    time.Time
	}
	claimAt  time.Time // when to claim it; zero: not now
	claiming bool
	returned int64 // epoch of the own claim that was given back last

	found found // by this machine

	row      wire.Row  // of the prober
	revision int64     // of the row
	heardAt  time.Time // when it was received; zero: there is none that is believed
	begunAt  time.Time // when its probe began, by our clock
	models   []byte    // the value of models/<fp>
	told     struct {  // what the scheduler was told of the row
		hash   string // of its models
		answer uint64
	}

	written   wire.Row
	writtenAt time.Time
	writtenTo []string // who listed the provider then
	writing   bool
	wrote     struct { // revisions that our last write made; 0: there was none
		row, models int64
	}
	newest struct { // revisions of the last writes, whoever made them
		row, models int64
	}
	repairs   pace      // of what somebody else changed
	sentAt    time.Time // when the write began that has not been received yet; zero: there is none
	putModels string    // hash of the models that were written in this session
	encoded   struct {
		of    []provider.Model
		value []byte
		hash  string
	}

	asked  uint64   // the newest generation that wants another member's probe
	asking bool     // a refresh is being written
	asks   []answer // those that were written

	refresh  int64    // the newest revision of refresh/<fp>
	probing  pace     // for the others
	owed     []answer // refreshes that our probe is to answer
	answered int64    // the newest that one did

	rowWord, limitWord word // for the scheduler

	limit     limit
	lastCheck time.Time // an own probe
	ownChecks uint64
	disagrees bool

	listed struct { // see listers
		by []string
		as uint64
	}
}

// A claim is who probes a provider; the member is empty if nobody does.
type claim struct {
	member string
	epoch  int64
	mine   bool
}

// An answer connects a generation of this machine with a revision of a refresh.
type answer struct {
	generation uint64
	revision   int64
}

// found is what an own probe, or a report, last found.
type found struct {
	known      bool
	state      provider.State
	reason     provider.Reason
	version    string
	latency    time.Duration
	began      time.Time
	retryAt    time.Time
	generation uint64
	models     []provider.Model
	probes     uint64 // in this epoch
}

// holds reports whether this machine has the claim.
func (it *item) holds() bool { return it.claim.mine }

// isTold reports whether another member's word holds.
func (it *item) isTold(now time.Time) bool {
	return !it.heardAt.IsZero() && now.Sub(it.heardAt) < servedWithin
}

// forget drops what belongs to a session that is over.
func (it *item) forget() {
	it.claim, it.claimAt, it.claiming, it.returned = claim{}, time.Time{}, false, 0
	it.seen.epoch = 0
	it.row, it.revision, it.heardAt, it.models = wire.Row{}, 0, time.Time{}, nil
	it.told.hash, it.told.answer, it.rowWord.at = "", 0, time.Time{}
	it.written, it.writtenAt, it.writing, it.sentAt, it.putModels = wire.Row{}, time.Time{}, false, time.Time{}, ""
	it.wrote.row, it.wrote.models, it.newest.row, it.newest.models = 0, 0, 0, 0
	it.asked, it.asking, it.asks = 0, false, nil
	it.refresh, it.owed, it.answered = 0, nil, 0
	it.limit.writing = false
}

// ours is the row that this machine would write now.
func (it *item) ours(self string, now time.Time) wire.Row {
	f := &it.found
	r := wire.Row{
		Epoch: it.claim.epoch, By: self, State: f.state, Reason: f.reason, Version: f.version, Latency: f.latency,
		Age: now.Sub(f.began), Refresh: it.answered, Probes: f.probes, Models: it.putModels, Extra: it.row.Extra,
	}
	if wait := f.retryAt.Sub(now); wait > 0 {
		r.RetryIn = wait
	}
	return r
}

// list makes the items of the configuration. What is known of those that stay is kept.
func (e *Engine) list() {
	old, before := e.byID, e.items
	e.items, e.unshared = nil, nil
	e.byID, e.byFP, e.byLimit = map[string]*item{}, map[wire.FP]*item{}, map[wire.FP][]*item{}
	cfg := e.usable()
	for _, p := range e.providers {
		if cfg == nil {
			break
		}
		why := wire.Unshared(p)
		if p.Private {
			why = "its share is false"
		}
		if why == "" {
			id := wire.Identify(cfg.Key, p)
			if twin := e.byFP[id.FP]; twin != nil {
				why = "it is the same server as " + twin.p.ID
			} else {
				e.enlist(p, id, old[p.ID])
				continue
			}
		}
		e.unshared = append(e.unshared, provider.FleetUnshared{ID: p.ID, Why: why})
	}
	for id, it := range old {
		if e.byID[id] != it {
			e.drop(it)
		}
	}
	e.forgetDoubts()
	e.tellChanged()
	e.membership++
	if e.listing == 0 || !slices.EqualFunc(before, e.items, func(a, b *item) bool { return a.id.FP == b.id.FP }) {
		e.listing++
		e.listedAt = time.Now()
	}
	if e.joined != nil {
		if slices.ContainsFunc(e.items, func(it *item) bool { return old[it.p.ID] != it }) {
			e.joined.s.Reread() // what the store has of new ones, and who lists them
		}
		e.joined.reread = true
	}
}

func (e *Engine) enlist(p *config.Provider, id wire.Identity, was *item) {
	it := was
	if it == nil || it.id != id {
		it = &item{p: p, id: id, stretch: 1}
	}
	it.p = p
	e.items = append(e.items, it)
	e.byID[p.ID], e.byFP[id.FP] = it, it
	e.byLimit[id.Limit] = append(e.byLimit[id.Limit], it)
	e.dirty[it] = struct{}{}
}

// drop gives up an item that is not shared any more, or is another server now.
func (e *Engine) drop(it *item) {
	delete(e.dirty, it)
	e.setTurn(it, schedule.Here, 1)
	e.unhold(it)
	if e.joined != nil && it.holds() {
		fp := it.id.FP.String()
		e.release(it.id.FP, it.claim.epoch, wire.Claims+fp, wire.Rows+fp, wire.ModelSet+fp, wire.Refresh+fp)
	}
}

// setTurn tells the scheduler who probes from now on, if that is news.
func (e *Engine) setTurn(it *item, turn schedule.Turn, stretch float64) {
	if it.turn == turn && it.stretch == stretch {
		return
	}
	was := it.turn
	it.turn, it.stretch, it.turned = turn, stretch, time.Now()
	id := it.p.ID
	e.order(func() {
		if was == schedule.Elsewhere {
			e.o.Local.Unsay(id)
		}
		e.o.Local.SetTurn(id, turn, stretch)
	})
	e.tellChanged()
}
