package notify

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/providerd/providerd/daemon/notify/sink"
	"github.com/providerd/providerd/store/provider"
)

// longestLater is how long a receiver can put off all messages.
const longestLater = 24 * time.Hour

// The end of the daemon waits for all its parts, but not long.
const (
	finishWithin = time.Second            // deliveries in progress, before they are aborted
	abortWithin  = 500 * time.Millisecond // for aborted deliveries to return
	lastSave     = 200 * time.Millisecond // after that the store saves it while it closes
)

// A delivery is the result of one.
type delivery struct {
	outlet *outlet
	id     string
	err    error
}

// deliver delivers a notice in a goroutine of its own.
func (e *Engine) deliver(work context.Context, o *outlet, n provider.Notice) {
	o.sending = n.ID
	e.sending++
	to := o.Sink
	go func() {
		ctx, cancel := context.WithTimeout(work, deliverWithin)
		defer cancel()
		select {
		case e.done <- delivery{o, n.ID, to.Deliver(ctx, &n)}:
		case <-e.ended:
		}
	}()
}

// endDelivery notes how a delivery ended.
func (e *Engine) endDelivery(d delivery, now time.Time) {
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
			o.later = now.Add(min(at.Sub(now), longestLater))
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

// stop waits briefly for deliveries in progress, aborts the rest, and saves.
func (e *Engine) stop(abort func()) {
	if !e.await(finishWithin) {
		abort()
		e.await(abortWithin)
	}
	e.read(time.Now())
	e.mu.Lock()
	for _, o := range e.outlets {
		if o.book.Cursor != o.cursor {
			o.changes++
		}
	}
	s, notes := e.unsaved()
	e.mu.Unlock()
	if len(notes) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastSave)
	defer cancel()
	if s.err = e.o.Store.SaveNotes(ctx, notes); s.err == nil {
		e.endSave(s, time.Now())
	}
}

// await waits for what is in progress, and reports whether all of it has ended.
func (e *Engine) await(patience time.Duration) bool {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for e.inProgress() {
		select {
		case d := <-e.done:
			if !errors.Is(d.err, context.Canceled) {
				e.endDelivery(d, time.Now())
			} else {
				e.aborted(d)
			}
		case s := <-e.saved:
			e.endSave(s, time.Now())
		case <-timeout.C:
			return false
		}
	}
	return true
}

// aborted notes that a delivery was aborted because the daemon stops. That is no failure.
func (e *Engine) aborted(d delivery) {
	e.mu.Lock()
	defer e.mu.Unlock()
	d.outlet.sending = ""
	e.sending--
}

func (e *Engine) inProgress() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.sending > 0 || e.writing
}
