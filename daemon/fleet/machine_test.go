package fleet_test

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/fleet"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store/provider"
)

const (
	probeTakes   = 50 * time.Millisecond
	toldFor      = 150 * time.Second
	servedWithin = 150 * time.Second
)

// A localFake is a machine's scheduler. Like the real one, it probes once per interval if it is
// its turn, it calls the engine with its lock held, and it probes when a member is silent.
type localFake struct {
	member string
	engine *fleet.Engine
	probe  func(member, id string) (provider.Reason, time.Duration) // what a probe finds now, and how long to wait
	random *rand.Rand

	visible sync.Map // rows by id

	mu      sync.Mutex
	stopped bool
	offline bool
	models  []provider.Model // that each probe finds
	gen     uint64
	entries map[string]*entry
}

type entry struct {
	p       *config.Provider
	turn    schedule.Turn
	stretch float64
	row     *provider.Status
	own     provider.Reason // what the last own probe found
	told    *schedule.Told
	toldAt  time.Time
	due     *time.Timer
	probing bool
	again   bool
	paused  bool
	asked   *time.Timer
	newest  uint64
	held    time.Time // by others
	heldBy  string
	waits   time.Time // because its own probe was told to

	began   []time.Time // own probes
	tells   int
	holds   int
	changes []provider.Reason
	checks  int // that the engine ordered
}

func newLocal(member string, seed uint64) *localFake {
	return &localFake{member: member, entries: map[string]*entry{}, random: rand.New(rand.NewPCG(seed, 1))}
}

// apply makes the entries of a configuration. A new one is probed at once.
func (l *localFake) apply(providers []*config.Provider) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.entries
	l.entries = map[string]*entry{}
	for _, p := range providers {
		e := old[p.ID]
		if e == nil || e.p.BaseURL != p.BaseURL {
			e = &entry{stretch: 1}
			e.due = time.AfterFunc(time.Duration(l.random.Int64N(int64(time.Second))), func() { l.start(e) })
		}
		e.p = p
		l.entries[p.ID] = e
	}
	for id, e := range old {
		if l.entries[id] != e {
			e.end()
		}
	}
}

// heldUntil is when it may be probed again.
func (e *entry) heldUntil() time.Time {
	if e.waits.After(e.held) {
		return e.waits
	}
	return e.held
}

func (e *entry) end() {
	e.due.Stop()
	if e.asked != nil {
		e.asked.Stop()
	}
}

func (l *localFake) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	for _, e := range l.entries {
		e.end()
	}
}

// start begins a probe that is due.
func (l *localFake) start(e *entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begin(e, false)
}

// begin begins a probe, or the next one if one is in progress.
func (l *localFake) begin(e *entry, force bool) {
	if e.probing {
		e.again = true
		return
	}
	if l.stopped || e.paused || l.offline || l.entries[e.p.ID] != e || !force && time.Now().Before(e.heldUntil()) {
		return
	}
	began, generation := time.Now(), l.gen
	e.probing, e.began = true, append(e.began, began)
	time.AfterFunc(probeTakes, func() { l.complete(e, began, generation) })
}

func (l *localFake) complete(e *entry, began time.Time, generation uint64) {
	reason, wait := l.probe(l.member, e.p.ID)
	l.mu.Lock()
	defer l.mu.Unlock()
	e.probing = false
	if l.stopped || l.entries[e.p.ID] != e {
		return
	}
	e.own = reason
	row := provider.Status{ID: e.p.ID, Source: provider.FromProbe, Generation: generation, CheckedAt: provider.Time{Time: began}, LatencyMS: 50}
	e.waits = time.Time{}
	if wait > 0 {
		e.waits = time.Now().Add(wait)
		row.RetryAt = provider.Time{Time: e.waits}
	}
	l.show(e, &row, reason)
	l.engine.Saw(e.p.ID, &row, l.models, schedule.Probed, began)
	l.tellDispute(e)
	if e.again {
		e.again = false
		l.begin(e, false)
	}
	l.plan(e)
}

// show makes a row visible.
func (l *localFake) show(e *entry, row *provider.Status, reason provider.Reason) {
	row.Reason, row.State = reason, reason.Meaning().State
	row.Paused = e.paused
	if e.row == nil || e.row.Reason != reason {
		e.changes = append(e.changes, reason)
	}
	e.row = row
	l.visible.Store(e.p.ID, row)
}

// setPaused pauses a provider, or resumes it.
func (l *localFake) setPaused(id string, paused bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[id]
	e.paused = paused
	row := *e.row
	l.show(e, &row, row.Reason)
	if !paused {
		l.begin(e, false)
	}
}

// setOffline takes the machine's network away, or gives it back.
func (l *localFake) setOffline(offline bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.offline = offline
	for _, e := range l.entries {
		if row := *e.row; offline {
			l.show(e, &row, provider.Offline)
		} else {
			l.begin(e, false)
		}
	}
}

func (l *localFake) tellDispute(e *entry) {
	differs := e.turn == schedule.Elsewhere && e.told != nil && e.own != "" && e.own != e.told.Reason
	l.engine.Disagrees(e.p.ID, differs)
}

// plan sets when the next probe is due.
func (l *localFake) plan(e *entry) {
	e.due.Stop()
	if l.stopped || e.row == nil {
		return
	}
	at := e.row.CheckedAt.Time
	switch e.turn {
	case schedule.Here:
		at = at.Add(e.p.Interval)
	case schedule.Alone:
		at = at.Add(time.Duration(e.stretch * float64(e.p.Interval)))
	default:
		at = at.Add(toldFor)
	}
	if until := e.heldUntil(); at.Before(until) {
		at = until
	}
	wait := max(time.Until(at), time.Millisecond)
	e.due = time.AfterFunc(wait, func() { l.start(e) })
}

// SetTurn implements [fleet.Local].
func (l *localFake) SetTurn(id string, turn schedule.Turn, stretch float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[id]
	if e == nil || e.turn == turn && e.stretch == stretch {
		return
	}
	was := e.turn
	e.turn, e.stretch = turn, stretch
	if turn != schedule.Elsewhere {
		l.stopAsking(e)
	}
	if e.row == nil {
		return
	}
	l.plan(e)
	if turn == schedule.Alone && was == schedule.Elsewhere {
		e.due.Stop()
		e.due = time.AfterFunc(time.Duration(l.random.Float64()*stretch*float64(e.p.Interval)), func() { l.start(e) })
	}
	l.believe(e)
}

// Tell implements [fleet.Local].
func (l *localFake) Tell(id string, t schedule.Told) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.entries[id]; e != nil {
		e.told, e.toldAt = &t, time.Now().Add(-t.Age)
		e.tells++
		l.believe(e)
	}
}

// believe shows what another member told, unless own evidence contradicts it.
func (l *localFake) believe(e *entry) {
	t := e.told
	if t == nil || e.turn != schedule.Elsewhere || e.paused || time.Since(e.toldAt) > toldFor || e.row != nil && e.toldAt.Before(e.row.CheckedAt.Time) {
		return
	}
	if e.asked != nil && t.Answers >= e.newest {
		e.asked.Stop()
		e.asked = nil
	}
	by := t.By
	row := provider.Status{ID: e.p.ID, Source: provider.FromFleet, By: &by, Generation: t.Answers, CheckedAt: provider.Time{Time: e.toldAt}}
	if e.row != nil {
		row.Generation = max(row.Generation, e.row.Generation)
	}
	l.tellDispute(e)
	if e.own != "" && e.own != t.Reason && len(e.began) > 0 && time.Since(e.began[len(e.began)-1]) < toldFor {
		return // own definite evidence wins
	}
	l.show(e, &row, t.Reason)
	l.plan(e)
}

// Unsay implements [fleet.Local].
func (l *localFake) Unsay(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.entries[id]; e != nil {
		e.told = nil
		l.stopAsking(e)
		l.tellDispute(e)
	}
}

// Hold implements [fleet.Local].
func (l *localFake) Hold(id string, in time.Duration, by string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.entries[id]; e != nil {
		e.held, e.heldBy = time.Now().Add(in), by
		e.holds++
		l.plan(e)
	}
}

// CheckSoon implements [fleet.Local].
func (l *localFake) CheckSoon(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.entries[id]; e != nil {
		e.checks++
		l.begin(e, false)
	}
}

// Refresh implements [fleet.Local].
func (l *localFake) Refresh(ids []string, force bool) schedule.Accepted {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gen++
	a := schedule.Accepted{Generation: l.gen}
	for _, id := range ids {
		e := l.entries[id]
		if e == nil || e.paused || l.offline || !force && time.Now().Before(e.heldUntil()) {
			continue
		}
		a.IDs = append(a.IDs, id)
		if e.turn != schedule.Elsewhere || force {
			l.begin(e, force)
			continue
		}
		e.newest = l.gen
		if e.asked == nil {
			e.asked = time.AfterFunc(schedule.AnswerWithin, func() {
				l.mu.Lock()
				defer l.mu.Unlock()
				l.stopAsking(e)
			})
		}
		l.engine.Asked(id, l.gen)
	}
	return a
}

// stopAsking probes here what another member was asked for.
func (l *localFake) stopAsking(e *entry) {
	if e.asked != nil {
		e.asked.Stop()
		e.asked = nil
		l.begin(e, false)
	}
}

// row is what the engine sees of a provider.
func (l *localFake) row(id string) (*provider.Status, []provider.Model) {
	// As with the real one, this needs no lock: the engine's caller may hold it.
	if row, ok := l.visible.Load(id); ok {
		return row.(*provider.Status), nil
	}
	return nil, nil
}
