package store

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

// A ledger adds up each provider's open hour: time in states, from the rows that are put and
// from [Store.Watch], and probes. When the hour ends, it is closed and waits for a commit.
//
// Time is counted on a clock of its own, seen, which runs only while the scheduler watches. So
// neither sleep, nor a clock that is set, nor a daemon that is held up counts as time in a
// state.
type ledger struct {
	mu      sync.Mutex
	tallies map[string]*tally
	names   map[string]name // of all providers that have a history
	top     uint32          // the highest number of a provider

	seen     time.Duration // how long providers were watched since the start
	lookedAt time.Time     // when that was last reported, with its monotonic reading; zero if never
	wall     time.Time     // likewise, by the wall clock; at first, that of the last process
	hour     time.Time     // the open one

	waiting changes         // not in a batch yet
	renamed map[string]name // likewise
	closed  []closedHour    // likewise
	until   time.Time       // when the last closed hour ended
	rolls   uint64          // how often hours were closed
	afresh  bool            // all open hours must join the next commit
	unsaved []*batch        // the oldest first
	batches uint64          // the number of the last one

	held map[uint32][]held // by the provider's number, the oldest first

	rider  uint32    // the number from which open hours join the next commit
	rodeAt time.Time // when they last did
}

// A name is what a provider is called in the history.
type name struct {
	number  uint32
	removed int64 // when it was removed from the configuration, in seconds since 1970; 0 if it was not
}

// A tally is one provider's open hour.
type tally struct {
	rollup.Open
	state   provider.State
	reason  provider.Reason
	mark    time.Duration // up to here, by ledger.seen, time is accounted for
	number  uint32
	changed bool // it must join the next commit
	gone    bool // it is not in the configuration
}

// changes are by the provider's number, which is machine for those of this machine.
type changes map[uint32][]rollup.Change

// machine is the number of this machine, whose changes are when it was watched.
const machine = 0

// A closedHour is one provider's bucket of an hour that has ended.
type closedHour struct {
	hour   time.Time
	number uint32
	rolls  uint64 // how often hours had been closed before
	text   []byte
}

// maxAhead is how much time after the scheduler's last report counts as watched before the next
// report.
const maxAhead = 10 * time.Second

// position is now, by the clock seen. The caller holds mu, here and below.
func (l *ledger) position(now time.Time) time.Duration {
	if l.lookedAt.IsZero() {
		return l.seen
	}
	return l.seen + min(max(0, now.Sub(l.lookedAt)), maxAhead)
}

// settle accounts for the time of the current state up to a position.
func (t *tally) settle(at time.Duration) {
	if d := at - t.mark; d > 0 {
		t.mark += t.Spend(t.state, t.reason, d)
	}
}

// probed adds a probe.
func (l *ledger) probed(id string, ok bool, latency time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.tallies[id]; t != nil && !t.gone {
		t.Probed(ok, latency)
	}
}

// put records the state of a row, and reports whether that is a change, which must last. The
// event of the change says when it was; nil: now.
func (l *ledger) put(st *provider.Status, e *provider.Event, now time.Time) bool {
	state, reason, _ := st.Own()
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tallies[st.ID]
	if t == nil || t.gone || t.state == state && t.reason == reason {
		return false
	}
	l.change(t, state, reason, l.position(now)-sinceEvent(st, e, now))
	return true
}

// sinceEvent is how long ago a change was, according to its event.
func sinceEvent(st *provider.Status, e *provider.Event, now time.Time) time.Duration {
	const most = time.Minute // a change waits less than that for its commit
	if e == nil || e.Hearsay || e.ID != st.ID {
		return 0
	}
	if d := now.Sub(e.Time.Time); d > 0 && d <= most {
		return d
	}
	return 0
}

// change ends the state of a tally at a position, and begins another.
func (l *ledger) change(t *tally, state provider.State, reason provider.Reason, at time.Duration) {
	at = max(at, t.mark)
	t.settle(at)
	l.hold(t)
	t.state, t.reason, t.mark, t.changed = state, reason, at, true
	l.note(t.number, rollup.Change{Time: l.wallAt(at), State: state, Reason: reason})
}

// wallAt is the wall clock's time at a position.
func (l *ledger) wallAt(at time.Duration) time.Time { return l.wall.Add(at - l.seen) }

func (l *ledger) note(number uint32, c rollup.Change) {
	list := append(l.waiting[number], c)
	if over := len(list) - mostChanges; over > 0 { // the disk has refused for long
		list = slices.Delete(list, 0, over)
	}
	l.waiting[number] = list
}

// configure sets which providers have rows from now on. A provider that was removed keeps its
// history, and continues it if it comes back.
func (l *ledger) configure(rows []*Row, wall, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wall.IsZero() {
		l.wall = wall
	}
	at := l.position(now)
	here := make(map[string]bool, len(rows))
	for _, row := range rows {
		here[row.Status.ID] = true
		l.enter(&row.Status, at)
	}
	for id, n := range l.names {
		if here[id] || n.removed != 0 {
			continue
		}
		n.removed = max(1, wall.Unix())
		l.names[id], l.renamed[id] = n, n
		if t := l.tallies[id]; t != nil {
			l.change(t, provider.StateUnknown, provider.NotChecked, at)
			t.gone = true
		}
	}
}

// enter makes sure that a configured provider has a tally, and records its state.
func (l *ledger) enter(st *provider.Status, at time.Duration) {
	n, known := l.names[st.ID]
	if !known || n.removed != 0 {
		if !known {
			l.top++
			n.number = l.top
		}
		n.removed = 0
		l.names[st.ID], l.renamed[st.ID] = n, n
	}
	t := l.tallies[st.ID]
	if t == nil {
		t = &tally{number: n.number, mark: at}
		l.tallies[st.ID] = t
	}
	if t.gone {
		t.gone, t.mark = false, max(t.mark, at)
	}
	if state, reason, _ := st.Own(); t.state != state || t.reason != reason {
		l.change(t, state, reason, at)
	}
}

// watch advances the clock, closes the hour if it has ended, and reports whether that needs a
// commit.
func (l *ledger) watch(now time.Time, w Watched) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	first, before := l.lookedAt.IsZero(), l.wall
	l.lookedAt, l.wall = now, w.Wall.UTC().Round(0)
	if first {
		l.note(machine, rollup.Change{Time: l.wall, State: provider.StateRunning})
		l.afresh = true // otherwise the time since the last process would count as watched
		l.enterHour()
		return true
	}
	if w.Missed > 0 {
		l.note(machine, rollup.Change{Time: l.wall.Add(-w.Missed)})
		l.note(machine, rollup.Change{Time: l.wall, State: provider.StateRunning})
		l.afresh = true
	}
	if w.Jumped != 0 {
		// The open hour moves with the clock, and keeps the time that has passed in it.
		l.seen += w.Seen
		l.hour, l.afresh = rollup.Begin(l.wall, rollup.Hour), true
		return true
	}
	return l.advance(before, w.Seen) || l.afresh
}

// advance adds watched time that began at before, hour by hour.
func (l *ledger) advance(before time.Time, seen time.Duration) (rolled bool) {
	for {
		end := l.hour.Add(rollup.Hour)
		if l.wall.Before(end) {
			l.seen += seen
			return rolled
		}
		part := min(max(0, end.Sub(before)), seen)
		l.seen, seen = l.seen+part, seen-part
		l.close(end)
		rolled = true
		if l.hour, before = end, end; seen == 0 {
			l.hour = rollup.Begin(l.wall, rollup.Hour)
		}
	}
}

// enterHour makes the clock's hour the open one. If an earlier process left another one open,
// that is closed.
func (l *ledger) enterHour() {
	hour := rollup.Begin(l.wall, rollup.Hour)
	if !l.hour.IsZero() && !l.hour.Equal(hour) {
		l.close(l.hour.Add(rollup.Hour))
	}
	l.hour = hour
}

// close closes the open hour of every provider.
func (l *ledger) close(end time.Time) {
	for id, t := range l.tallies {
		t.settle(l.seen)
		if !t.IsEmpty() {
			b := t.Bucket(l.hour)
			l.closed = append(l.closed, closedHour{l.hour, t.number, l.rolls, b.Append(nil)})
		}
		if t.Reset(); t.gone {
			delete(l.tallies, id)
		}
	}
	most := int(KeepHours/rollup.Hour) * (len(l.names) + 1)
	if over := len(l.closed) - most; over > 0 { // the disk has refused for long
		l.closed = slices.Delete(l.closed, 0, over)
	}
	slices.SortStableFunc(l.closed, func(a, b closedHour) int {
		return cmp.Or(a.hour.Compare(b.hour), cmp.Compare(a.number, b.number))
	})
	l.until = end
	l.rolls++
}
