// Package notify tells people what happens to providers. The event log is the queue: for each
// sink, [book.Book] says what follows from the events and what is still to be sent. A book is
// saved before its messages are sent, and again when a receiver has accepted one.
//
// One goroutine keeps the books. Each sink has at most one delivery in progress, so that one
// that hangs delays no other, and none delays a probe.
package notify

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/notify/book"
	"github.com/providerd/providerd/daemon/notify/sink"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

const (
	deliverWithin = 30 * time.Second // and no longer
	saveWithin    = 30 * time.Second
	saveAgain     = time.Second
	stopWithin    = 3 * time.Second // for deliveries in progress at an orderly stop
	saveEvery     = 1000            // events: how far the saved position may fall behind
	readAtOnce    = 1000            // events
)

// An Outlet is a sink with its settings.
type Outlet struct {
	Settings book.Settings // without Maintained
	Kind     string
	Sink     sink.Sink
}

// Options are what an [Engine] needs. All but Random are required.
type Options struct {
	Log    hclog.Logger
	Store  *store.Store
	Random func() float64 // in [0, 1); nil: math/rand
}

// An Engine keeps the books of all sinks. Its methods are safe for concurrent use.
type Engine struct {
	o    Options
	wake chan struct{}
	done chan delivery

	mu       sync.Mutex
	outlets  []*outlet // in the configuration's order
	upkeep   upkeep
	restored bool // the database is a backup: what holds is known after the first sweep
	sending  int  // deliveries in progress, also of sinks that are gone
}

// An outlet is a sink in use.
type outlet struct {
	Outlet
	book    *book.Book
	changes uint64 // counts the changes of the book that must be saved
	saved   uint64 // those that are
	cursor  uint64 // of the saved book
	sending string // the id of the message that is being sent; empty: none
	failing bool   // the last delivery failed, and the log says so
}

// isSaved reports whether what the book has to send is on the disk.
func (o *outlet) isSaved() bool { return o.changes == o.saved }

// A delivery is how one ended.
type delivery struct {
	outlet *outlet
	id     string
	err    error
}

// New returns an engine without sinks. [Engine.Apply] gives it some, [Engine.Run] runs it.
func New(o Options) *Engine {
	if o.Random == nil {
		o.Random = rand.Float64
	}
	return &Engine{o: o, wake: make(chan struct{}, 1), done: make(chan delivery), restored: o.Store.Renumbered()}
}

// Apply replaces the sinks. One with the id of an earlier one goes on with its book; the book
// of one that is gone is deleted. Call it after the store knows the providers.
func (e *Engine) Apply(outlets []Outlet) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	rows := e.look()
	found := e.o.Store.Notes()
	if e.outlets == nil {
		e.upkeep.read(found[upkeepKey], e.o.Log)
	}
	next := []*outlet{}
	for _, given := range outlets {
		var o *outlet
		if i := slices.IndexFunc(e.outlets, func(o *outlet) bool { return o.Settings.Sink == given.Settings.Sink }); i >= 0 {
			o = e.outlets[i]
			o.Outlet = given
		} else {
			o = &outlet{Outlet: given}
			o.Settings.Maintained = e.upkeep.until
			e.open(o, found[noteKey(given.Settings.Sink)], rows, now)
		}
		o.Settings.Maintained = e.upkeep.until
		o.book.Watch(rows, &o.Settings, now)
		o.changes++
		next = append(next, o)
	}
	e.outlets = next
	e.nudge()
}

// open reads the book of a sink, or begins one.
func (e *Engine) open(o *outlet, text []byte, rows []book.Row, now time.Time) {
	newest := e.o.Store.View().Seq()
	o.book = new(book.Book)
	err := json.Unmarshal(text, o.book)
	switch {
	case text == nil:
		o.book = book.Begin(newest, rows, &o.Settings)
	case err != nil:
		e.o.Log.Warn("cannot read what was told: beginning now", "sink", o.Settings.Sink, "error", err)
		o.book = book.Begin(newest, rows, &o.Settings)
	case e.restored || o.book.Cursor > newest:
		o.book.Restored(newest, &o.Settings, now)
		e.restored = true
	}
}

// look returns what holds of all providers.
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
	if h := st.Hearsay; h != nil && h.Over != nil { // what users say is no state of the provider's
		row.State, row.Reason, row.Detail, row.Hint = h.Over.State, h.Over.Reason, h.Over.Detail, ""
	}
	return row
}

// Swept says that every provider has been probed since the start, so that the rows hold.
func (e *Engine) Swept() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.restored {
		return
	}
	e.restored = false
	now := time.Now()
	for _, o := range e.outlets {
		o.book.Resync(e.look(), 0, &o.Settings, now)
		o.changes++
	}
	e.nudge()
}

func (e *Engine) nudge() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Run keeps the books until ctx ends. Then it waits a little for deliveries in progress, and
// saves what they came to. It does nothing, at no cost, while there are no sinks.
func (e *Engine) Run(ctx context.Context) {
	sends, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	var timer <-chan time.Time
	for {
		events := e.o.Store.NextEvents()
		next := e.step(sends, time.Now())
		if e.idle() {
			events = nil
		}
		timer = nil
		if !next.IsZero() {
			timer = time.After(max(0, time.Until(next)))
		}
		select {
		case <-events:
		case <-timer:
		case <-e.wake:
		case d := <-e.done:
			e.end(d, time.Now())
		case <-ctx.Done():
			e.stop(abort)
			return
		}
	}
}

func (e *Engine) idle() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.outlets) == 0
}

// step brings every book up to date, saves those that changed, begins deliveries, and returns
// when to do so again; zero: when something happens.
func (e *Engine) step(sends context.Context, now time.Time) (next time.Time) {
	soonest := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range e.outlets {
		e.read(o, now)
		at, wrote := o.book.Write(&o.Settings, now)
		soonest(at)
		if wrote || o.book.Cursor-o.cursor >= saveEvery {
			o.changes++
		}
	}
	if !e.save() {
		soonest(now.Add(saveAgain))
	}
	for _, o := range e.outlets {
		if !o.isSaved() || o.sending != "" {
			continue
		}
		ready, at := o.book.Ready(func(string) bool { return false }, now)
		soonest(at)
		if len(ready) > 0 {
			e.begin(sends, o, ready[0].Notice)
		}
	}
	return next
}

// begin delivers a notice in a goroutine of its own.
func (e *Engine) begin(sends context.Context, o *outlet, n provider.Notice) {
	o.sending = n.ID
	e.sending++
	deliver := o.Sink
	go func() {
		ctx, cancel := context.WithTimeout(sends, deliverWithin)
		defer cancel()
		e.done <- delivery{o, n.ID, deliver.Deliver(ctx, &n)}
	}()
}

// read adds the events since the book's position.
func (e *Engine) read(o *outlet, now time.Time) {
	lost := uint64(0)
	for {
		events, err := e.o.Store.Events(o.book.Cursor, readAtOnce)
		var gap *store.GapError
		switch known := (*provider.Error)(nil); {
		case errors.As(err, &gap):
			lost += gap.Last - o.book.Cursor
			o.book.Cursor = gap.Last
			continue
		case errors.As(err, &known) && known.Code == provider.EventsGone:
			newest := e.o.Store.View().Seq()
			lost += max(newest, o.book.Cursor) - o.book.Cursor
			o.book.Cursor = newest
		case err != nil:
			return // the disk is slow: they come with the next ones
		}
		if len(events) == 0 {
			break
		}
		hints := e.hints()
		for i := range events {
			o.book.Observe(&events[i], hints(&events[i]), &o.Settings)
		}
	}
	if lost > 0 {
		e.o.Log.Warn("events are gone that nobody was told of", "sink", o.Settings.Sink, "events", lost)
		o.book.Resync(e.look(), lost, &o.Settings, now)
		o.changes++
	}
}

// hints returns what to do about an event, according to the row of its provider.
func (e *Engine) hints() func(*provider.Event) string {
	view := e.o.Store.View()
	return func(ev *provider.Event) string {
		row := view.Row(ev.ID)
		if row == nil || row.Status.Reason != ev.Reason {
			return provider.Hint(ev.Reason, provider.Subject{ID: ev.ID})
		}
		return row.Status.Hint
	}
}

// save writes the books that are not on the disk, in one commit. Nothing is sent from a book
// that is not. The caller holds mu, which is free while the disk works.
func (e *Engine) save() bool {
	type saving struct {
		o       *outlet
		changes uint64
		cursor  uint64
	}
	var books []saving
	notes := map[string][]byte{}
	for _, o := range e.outlets {
		if o.isSaved() {
			continue
		}
		text, err := json.Marshal(o.book)
		if err != nil {
			e.o.Log.Error("cannot save what was told", "sink", o.Settings.Sink, "error", err)
			continue
		}
		notes[noteKey(o.Settings.Sink)] = text
		books = append(books, saving{o, o.changes, o.book.Cursor})
	}
	for key := range e.o.Store.Notes() {
		if id, ok := sinkOf(key); ok && !slices.ContainsFunc(e.outlets, func(o *outlet) bool { return o.Settings.Sink == id }) {
			notes[key] = nil // the sink is gone
		}
	}
	upkeep := e.upkeep.changes
	if upkeep != e.upkeep.saved {
		notes[upkeepKey] = e.upkeep.text()
	}
	if len(notes) == 0 {
		return true
	}
	e.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), saveWithin)
	err := e.o.Store.SaveNotes(ctx, notes)
	cancel()
	e.mu.Lock()
	if err != nil {
		return false // the store has said so
	}
	for _, b := range books {
		b.o.saved, b.o.cursor = b.changes, b.cursor
	}
	e.upkeep.saved = upkeep
	return true
}

// end notes how a delivery ended.
func (e *Engine) end(d delivery, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	o := d.outlet
	o.sending = ""
	e.sending--
	if !slices.Contains(e.outlets, o) {
		return
	}
	var refused *sink.RefusedError
	var later *sink.LaterError
	changed := false
	switch {
	case d.err == nil:
		changed = o.book.Accepted(d.id, now)
		if o.failing {
			o.failing = false
			e.o.Log.Info("messages are delivered again", "sink", o.Settings.Sink)
		}
	case errors.As(d.err, &refused):
		changed = o.book.Reject(d.id, d.err.Error())
		e.o.Log.Warn("a message was refused and is not sent again", "sink", o.Settings.Sink, "message", d.id, "error", d.err,
			"hint", "remove the cause, then: providerctl notify retry "+o.Settings.Sink)
	default:
		at := time.Time{}
		if errors.As(d.err, &later) {
			at = later.At
		}
		changed = o.book.Failed(d.id, d.err.Error(), at, now, e.o.Random())
		if !o.failing || changed {
			o.failing = true
			e.o.Log.Warn("cannot deliver a message", "sink", o.Settings.Sink, "message", d.id, "error", d.err, "given_up", changed)
		}
	}
	if changed {
		o.changes++
	}
}

// stop waits a little for deliveries in progress, aborts the others, and saves.
func (e *Engine) stop(abort func()) {
	patience := time.After(stopWithin)
	for e.inProgress() > 0 {
		select {
		case d := <-e.done:
			e.end(d, time.Now())
		case <-patience:
			abort()
			patience = nil
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range e.outlets {
		e.read(o, time.Now())
		o.changes++
	}
	e.save()
}

func (e *Engine) inProgress() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.sending
}
