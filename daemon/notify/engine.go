// Package notify sends messages to people about their providers. The event log is the queue: for
// each sink, a [book.Book] turns events into messages and keeps those still to be sent.
//
// One goroutine keeps the books. Each sink has at most one delivery in progress, and all of them
// together one save, each in its own goroutine. So a receiver or a disk that hangs delays no
// other sink and no probe.
package notify

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/notify/book"
	"github.com/providerd/providerd/daemon/notify/sink"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

const (
	deliverWithin = 30 * time.Second // then the delivery is aborted
	saveWithin    = 30 * time.Second
	again         = time.Second // after the disk failed
	saveEvery     = 1000        // events: the saved position is at most this far behind
	readAtOnce    = 1000        // events
	lookAgain     = time.Minute // because timers stop while the machine sleeps
)

// An Outlet is a sink with its settings.
type Outlet struct {
	Settings book.Settings // without Maintained
	Kind     string
	Way      string    // changes with the receiver and how it is reached; never shown
	Sink     sink.Sink // nil if there is a fault
	Fault    error     // why the sink cannot be used; its messages wait, for a day at most
}

// A faulty sink cannot be used: each delivery fails.
type faulty struct{ fault error }

func (f faulty) Deliver(context.Context, *provider.Notice) error { return f.fault }

// A Store is what an engine needs of a [store.Store].
type Store interface {
	View() store.View
	Events(since uint64, limit int) ([]provider.Event, error)
	NextEvents() <-chan struct{}
	Notes() map[string][]byte
	SaveNotes(ctx context.Context, values map[string][]byte) error
	Renumbered() bool
	Bereft() bool
}

// Options are what an [Engine] needs. All but Random are required.
type Options struct {
	Log    hclog.Logger
	Store  Store
	Random func() float64 // in [0, 1); nil: math/rand
}

// An Engine keeps the books of all sinks. Its methods are safe for concurrent use.
type Engine struct {
	o     Options
	wake  chan struct{}
	done  chan delivery
	saved chan saving
	ended chan struct{} // closed when Run returns

	standing atomic.Pointer[standing] // see Maintenance; nil: out of date

	mu       sync.Mutex // held for work in memory only
	outlets  []*outlet  // in the configuration's order
	upkeep   upkeep
	restored bool      // at the start, the database was a backup or another one
	gone     bool      // the book of a sink that is gone may still be saved
	writing  bool      // a save is in progress
	writeAt  time.Time // earliest time of the next save, after a failure
	sending  int       // deliveries in progress, including those of sinks that are gone
}

// An outlet is a sink in use.
type outlet struct {
	Outlet
	book    *book.Book
	changes uint64    // counts the changes of the book that must be saved
	saved   uint64    // those that are
	cursor  uint64    // of the saved book
	sending string    // the id of the message that is being sent; empty: none
	failing bool      // the last delivery failed, and the log says so
	later   time.Time // the receiver wants no messages before this
}

// New returns an engine without sinks. [Engine.Apply] sets them, [Engine.Run] runs it.
func New(o Options) *Engine {
	if o.Random == nil {
		o.Random = rand.Float64
	}
	return &Engine{
		o: o, wake: make(chan struct{}, 1), done: make(chan delivery), saved: make(chan saving), ended: make(chan struct{}),
		restored: o.Store.Renumbered(),
	}
}

// Apply replaces the sinks. A sink whose id stays keeps its book. The books of sinks that are gone
// are deleted. Call it after the store knows the providers.
func (e *Engine) Apply(outlets []Outlet) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.standing.Store(nil)
	now := time.Now()
	rows := e.look()
	found := e.o.Store.Notes()
	first := e.outlets == nil
	if first {
		e.upkeep.read(found[upkeepKey], e.o.Log)
	}
	next := []*outlet{}
	for _, given := range outlets {
		var o *outlet
		if i := slices.IndexFunc(e.outlets, func(o *outlet) bool { return o.Settings.Sink == given.Settings.Sink }); i >= 0 {
			o = e.outlets[i]
			o.book.Hurry() // somebody may have removed the cause
			if o.Way != given.Way || o.Fault != nil {
				o.later = time.Time{}
			}
			o.Outlet = given
			o.Settings.Maintained = e.upkeep.until
		} else {
			o = &outlet{Outlet: given}
			o.Settings.Maintained = e.upkeep.until
			e.open(o, found[noteKey(given.Settings.Sink)], first, rows, now)
		}
		if o.book.Watch(rows, &o.Settings, now) {
			o.changes++
		}
		if o.Fault != nil {
			o.Sink = faulty{o.Fault}
			e.o.Log.Error("a sink cannot be used: its messages wait", "sink", o.Settings.Sink, "error", o.Fault,
				"hint", "remove the cause, then: providerctl reload")
		}
		next = append(next, o)
	}
	e.outlets, e.gone = next, true
	e.nudge()
}

// open reads the book of a sink, or begins one. first is true at the daemon's start.
func (e *Engine) open(o *outlet, text []byte, first bool, rows []book.Row, now time.Time) {
	newest := e.o.Store.View().Seq()
	if text != nil {
		var err error
		if o.book, err = book.Parse(text); err == nil {
			if o.cursor = o.book.Cursor; first && e.restored || o.cursor > newest {
				o.book.Restored(newest, &o.Settings, now)
				o.changes++
			}
			return
		}
		e.o.Log.Warn("saved messages of a sink are unreadable", "sink", o.Settings.Sink, "error", err)
	}
	o.book = book.Begin(newest, rows, &o.Settings)
	o.changes++
	if text != nil || first && e.o.Store.Bereft() {
		e.o.Log.Warn("messages of a sink were lost with the database: it is told what holds after the first sweep", "sink", o.Settings.Sink)
		o.book.Forget()
	}
}

// look returns the current state of all providers.
func (e *Engine) look() []book.Row {
	var rows []book.Row
	view := e.o.Store.View()
	for i := range view.Len() {
		rows = append(rows, rowOf(&view.At(i).Status))
	}
	return rows
}

func rowOf(st *provider.Status) book.Row {
	row := book.Row{ID: st.ID, State: st.State, Reason: st.Reason, Detail: st.Detail, Hint: st.Hint}
	if h := st.Hearsay; h != nil && h.Over != nil { // a report by a user does not change the state
		row.State, row.Reason, row.Detail, row.Hint = h.Over.State, h.Over.Reason, h.Over.Detail, ""
	}
	return row
}

// Unsettled reports whether a sink waits for [Engine.Swept], because events or what it was told
// are lost.
func (e *Engine) Unsettled() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.ContainsFunc(e.outlets, func(o *outlet) bool { return o.book.Unsettled })
}

// Swept reports to the engine that every provider has been probed since the start, so the rows
// are up to date.
func (e *Engine) Swept() {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	for _, o := range e.outlets {
		if o.book.Unsettled {
			o.book.Resync(e.look(), 0, &o.Settings, now)
			o.changes++
		}
	}
	e.nudge()
}

func (e *Engine) nudge() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Run keeps the books until ctx ends. Then it waits briefly for deliveries in progress, and saves
// their results. Call it once. Without sinks it is idle.
func (e *Engine) Run(ctx context.Context) {
	defer close(e.ended)
	work, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		events := e.o.Store.NextEvents() // before reading, so that none is missed
		next := e.step(work, time.Now())
		if e.idle() {
			events = nil
		}
		timer.Stop()
		if !next.IsZero() {
			timer.Reset(min(max(0, time.Until(next)), lookAgain))
		}
		select {
		case <-events:
		case <-timer.C:
		case <-e.wake:
		case s := <-e.saved:
			e.endSave(s, time.Now())
		case d := <-e.done:
			e.endDelivery(d, time.Now())
		case <-ctx.Done():
			e.stop(abort)
			return
		}
	}
}

// quiet is until when nothing is sent; zero: now is no quiet hour.
func (o *outlet) quiet(now time.Time) time.Time {
	if o.Settings.Quiet == nil {
		return time.Time{}
	}
	return o.Settings.Quiet(now)
}

func (e *Engine) idle() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.outlets) == 0
}

// step updates every book, starts saving those that changed, and starts deliveries. It returns
// when to run again; zero: when something happens.
func (e *Engine) step(work context.Context, now time.Time) (next time.Time) {
	soonest := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if !e.read(now) {
		soonest(now.Add(again))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range e.outlets {
		at, wrote := o.book.Write(&o.Settings, now)
		soonest(at)
		if wrote || o.book.Cursor-o.cursor >= saveEvery {
			o.changes++
		}
	}
	soonest(e.save(work, now))
	for _, o := range e.outlets {
		if o.sending != "" {
			continue
		}
		if o.later.After(now) {
			soonest(o.later)
			continue
		}
		quiet := o.quiet(now)
		ready, at := o.book.Ready(func(m *book.Message) bool {
			return m.Saved != m.ID || !quiet.IsZero() && !m.Asked
		}, now)
		soonest(quiet)
		soonest(at)
		if len(ready) > 0 {
			e.deliver(work, o, ready[0].Notice)
		}
	}
	return next
}
