package fleet

import (
	"context"
	"slices"
	"time"

	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store/provider"
)

// Saw implements [schedule.Fleet].
func (e *Engine) Saw(id string, row *provider.Status, models []provider.Model, how schedule.How, began time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	it := e.byID[id]
	if it == nil {
		return
	}
	f, probed := &it.found, began
	probes := f.probes
	if how == schedule.Probed {
		probes++
		it.lastCheck = time.Now()
		if it.turn == schedule.Elsewhere && began.After(it.turned) {
			it.ownChecks++
			e.count.OwnChecks++
		}
	} else if f.known {
		began = f.began // a report is no probe
	}
	*f = found{
		known: f.known || how == schedule.Probed, state: row.State, reason: row.Reason, version: row.Version,
		latency: time.Duration(row.LatencyMS * float64(time.Millisecond)), began: began, generation: row.Generation,
		models: models, probes: probes,
	}
	if row.By == nil { // else another member met it
		f.retryAt = row.RetryAt.Time
	}
	e.answer(it)
	e.refute(it, row, how, probed)
	e.dirty[it] = struct{}{}
	signal(e.woken)
}

// Asked implements [schedule.Fleet].
func (e *Engine) Asked(id string, generation uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if it := e.byID[id]; it != nil {
		it.asked = max(it.asked, generation)
		e.dirty[it] = struct{}{}
		signal(e.woken)
	}
}

// Disagrees implements [schedule.Fleet].
func (e *Engine) Disagrees(id string, ours bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if it := e.byID[id]; it != nil {
		it.disagrees = ours
		e.tellChanged()
	}
}

// settleAll decides what follows from what changed, and for all items if the last look at them
// was tickEvery ago. It returns how long until it must be called again at the latest.
func (e *Engine) settleAll() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	now, wait := time.Now(), tickEvery
	if j := e.joined; j != nil {
		look := now.Sub(j.looked) >= tickEvery
		if look {
			j.looked = now
			e.sayHost(now)
			e.retry(j)
		}
		if look || j.reread {
			j.reread = false
			for _, it := range e.items {
				e.dirty[it] = struct{}{}
			}
		}
		if e.mode == provider.FleetOK {
			e.announce(j)
		}
		wait = j.looked.Add(tickEvery).Sub(now)
	}
	for it := range e.dirty {
		delete(e.dirty, it)
		e.settle(it, now)
	}
	for _, it := range e.items {
		for _, at := range [...]time.Time{it.claimAt, it.rowWord.at, it.limitWord.at} {
			if at.IsZero() {
				continue
			}
			wait = min(wait, max(time.Millisecond, at.Sub(now)))
			if !at.After(now.Add(time.Millisecond)) {
				e.dirty[it] = struct{}{}
			}
		}
	}
	return wait
}

// settle decides what follows for one provider.
func (e *Engine) settle(it *item, now time.Time) {
	e.passOn(it, now)
	if e.joined != nil && e.mode == provider.FleetOK {
		e.settleClaim(it, now)
		e.settleRow(it, now)
		e.settleAsk(it)
		e.settleLimit(it, now)
		e.settleDoubt(it, now)
		e.settleRefresh(it)
		if it.isTold(now) && !it.holds() && !e.follows() && now.Sub(it.lastCheck) > checkAfter(0, it.p.Interval) &&
			now.Sub(it.lastCheck) > checkAfter(len(e.listers(it)), it.p.Interval) {
			e.check(it)
		}
	}
	turn, stretch := e.turnOf(it, now)
	before := it.turn
	e.setTurn(it, turn, stretch)
	if turn == schedule.Elsewhere && before != turn {
		e.tell(it, now)
	}
}

// turnOf is who probes a provider now.
func (e *Engine) turnOf(it *item, now time.Time) (schedule.Turn, float64) {
	switch {
	case e.mode == provider.FleetAlone:
		return schedule.Alone, stretchOf(1 + len(e.listers(it)))
	case e.mode != provider.FleetOK, it.holds(), !it.isTold(now):
		return schedule.Here, 1
	}
	return schedule.Elsewhere, 1
}

// settleRow writes what this machine found, if it is the prober and others would learn
// something.
func (e *Engine) settleRow(it *item, now time.Time) {
	f := &it.found
	if !it.holds() || it.writing || !f.known || f.began.Before(it.begunAt) || !judge.Believable(f.reason) {
		return
	}
	e.repair(it, now)
	others := e.listers(it)
	models, hash := e.modelsToWrite(it)
	next := it.ours(e.self(), now)
	next.Models = hash
	since := now.Sub(it.writtenAt)
	// Whoever came since does not know how old the row is.
	touch := len(others) > 0 && (since >= touchEvery || since >= tickEvery && !slices.Equal(others, it.writtenTo))
	if !it.written.Differs(next) && !touch && models == nil {
		return
	}
	it.writing = true
	fp, epoch := it.id.FP.String(), it.claim.epoch
	rowKey, claimKey := wire.Rows+fp, wire.Claims+fp
	it.sentAt = now
	held, row, list := true, int64(0), it.wrote.models
	e.put(func(ctx context.Context, s bus.Session) (err error) {
		if models != nil {
			if list, held, err = s.PutFenced(ctx, claimKey, epoch, wire.ModelSet+fp, models); err != nil || !held {
				return err
			}
		}
		next.Age += time.Since(now) // it may have waited for its turn
		row, held, err = s.PutFenced(ctx, claimKey, epoch, rowKey, next.Encode())
		return err
	}, func(err error) {
		it.writing = false
		switch {
		case err != nil:
			// The next look tries again.
		case !held:
			e.count.Fenced++
			if it.claim.epoch == epoch {
				it.claim = claim{}
			}
			e.dirty[it] = struct{}{}
		default:
			it.written, it.writtenAt, it.writtenTo, it.putModels = next, now, others, hash
			it.wrote.row, it.wrote.models = row, list
			e.dirty[it] = struct{}{}
		}
	})
}

// repair writes again what was deleted or overwritten since we wrote it: by a member that must
// not, by an operator, or by a write of ours that etcd carried out late.
func (e *Engine) repair(it *item, now time.Time) {
	row := it.wrote.row > 0 && it.newest.row > it.wrote.row
	models := it.wrote.models > 0 && it.newest.models > it.wrote.models
	if !row && !models || it.repairs.take(now) > 0 { // else the next look tries again
		return
	}
	it.written = wire.Row{}
	if models {
		it.putModels = ""
	}
}

// modelsToWrite is the value of the models, nil if the others have it, and its hash for the
// row.
func (e *Engine) modelsToWrite(it *item) (value []byte, hash string) {
	models := it.found.models
	if models == nil {
		return nil, ""
	}
	if last := it.encoded.of; len(last) != len(models) || len(models) > 0 && &last[0] != &models[0] || last == nil {
		it.encoded.of = models
		it.encoded.value, it.encoded.hash, _ = wire.EncodeModels(models)
	}
	if it.encoded.hash == it.putModels {
		return nil, it.encoded.hash
	}
	return it.encoded.value, it.encoded.hash
}

// settleAsk asks the prober for a probe.
func (e *Engine) settleAsk(it *item) {
	last := uint64(0)
	if n := len(it.asks); n > 0 {
		last = it.asks[n-1].generation
	}
	if it.asking || it.asked <= last || it.turn != schedule.Elsewhere {
		return
	}
	it.asking = true
	generation, revision := it.asked, int64(0)
	key, value := wire.Refresh+it.id.FP.String(), wire.Ask{By: e.self()}.Encode()
	e.put(func(ctx context.Context, s bus.Session) (err error) {
		revision, err = s.Put(ctx, key, value, true)
		return err
	}, func(err error) {
		it.asking = false
		if err != nil {
			return // the scheduler probes by itself
		}
		if it.asks = append(it.asks, answer{generation, revision}); len(it.asks) > mostAsks {
			it.asks = it.asks[1:]
		}
		e.dirty[it] = struct{}{}
		if it.answers() > it.told.answer {
			e.tell(it, time.Now())
		}
	})
}

// answers is the newest generation of this machine that the row answers.
func (it *item) answers() (newest uint64) {
	for _, a := range it.asks {
		if a.revision <= it.row.Refresh {
			newest = max(newest, a.generation)
		}
	}
	return newest
}

// tell tells the scheduler what the prober found.
func (e *Engine) tell(it *item, now time.Time) {
	if !it.isTold(now) || !it.rowWord.take(now) {
		return
	}
	r := &it.row
	it.told.answer = it.answers()
	t := schedule.Told{
		By: r.By, State: r.State, Reason: r.Reason, Version: r.Version, Latency: r.Latency, Answers: it.told.answer,
	}
	if r.Models != "" && r.Models != it.told.hash && it.models != nil {
		if models, err := wire.ParseModels(it.models, r.Models); err == nil {
			t.Models, it.told.hash = models, r.Models
		}
	}
	began, heard, retry := it.begunAt, it.heardAt, it.heardAt.Add(r.RetryIn)
	id := it.p.ID
	e.order(func() {
		now := time.Now()
		t.Age, t.Heard = now.Sub(began), now.Sub(heard)
		t.RetryIn = max(0, retry.Sub(now))
		e.o.Local.Tell(id, t)
	})
}

// settleRefresh probes for those who asked since the last probe.
func (e *Engine) settleRefresh(it *item) {
	newest := it.answered
	if n := len(it.owed); n > 0 {
		newest = it.owed[n-1].revision
	}
	if !it.holds() || it.refresh <= newest || it.probing.take(time.Now()) > 0 {
		return
	}
	id, revision := it.p.ID, it.refresh
	if it.owed = append(it.owed, answer{revision: revision}); len(it.owed) > mostAsks {
		it.owed = it.owed[1:]
	}
	e.order(func() {
		accepted := e.o.Local.Refresh([]string{id}, false)
		e.mu.Lock()
		defer e.mu.Unlock()
		for i := range it.owed {
			if it.owed[i].revision == revision {
				it.owed[i].generation = accepted.Generation
			}
		}
		if len(accepted.IDs) == 0 { // it must not be probed; the others find out the same way
			return
		}
		e.answer(it)
	})
}

// answer notes which refreshes the last probe answers: those whose generation it has.
func (e *Engine) answer(it *item) {
	rest := it.owed[:0]
	for _, a := range it.owed {
		if a.generation != 0 && it.found.generation >= a.generation {
			it.answered = max(it.answered, a.revision)
			e.dirty[it] = struct{}{}
		} else {
			rest = append(rest, a)
		}
	}
	it.owed = rest
}
