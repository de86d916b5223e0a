// Package term has a context for work that begins and ends all the time, and is seldom
// cancelled, such as a probe.
//
// A [Term] does what the context of [context.WithTimeout] does, in less than half of the
// memory: its channel is made only if it is asked for, and the functions to call at its end
// are in a list, not in a map. See docs/decisions/probe-context.md for what that saves, and
// for when it can be removed.
//
// It imports the standard library only.
package term

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A Term is a [context.Context] that ends with its parent, when its time is over, or by
// [Term.Cancel], which must always be called in the end.
type Term struct {
	parent  context.Context
	end     time.Time   // zero: no deadline of its own
	timer   *time.Timer // nil if end is zero
	unwatch func() bool // stops waiting for the parent's end; nil: that never comes

	mu   sync.Mutex
	err  error         // nil until it ends
	done chan struct{} // nil until it is asked for
	then []*func()     // called at the end
	room [1]*func()    // for then: usually there is one
}

// New begins a term within a parent. Without a limit it ends only with its parent or by
// Cancel.
func New(parent context.Context, limit time.Duration) *Term {
	t := &Term{parent: parent}
	t.mu.Lock() // the parent may end before this returns
	defer t.mu.Unlock()
	if limit > 0 {
		t.end = time.Now().Add(limit)
	}
	if t.err = parent.Err(); t.err != nil {
		return t
	}
	if ends(parent) {
		t.unwatch = AfterFunc(parent, func() { t.finish(parent.Err()) })
	}
	if limit > 0 {
		t.timer = time.AfterFunc(limit, func() { t.finish(context.DeadlineExceeded) })
	}
	return t
}

// ends reports whether a context has an end.
func ends(ctx context.Context) bool {
	_, ok := ctx.(afterFuncer)
	return ok || ctx.Done() != nil
}

// An afterFuncer is a context that itself calls functions at its end.
type afterFuncer interface {
	AfterFunc(func()) (stop func() bool)
}

// Cancel ends the term.
func (t *Term) Cancel() { t.finish(context.Canceled) }

func (t *Term) finish(err error) {
	t.mu.Lock()
	if t.err != nil {
		t.mu.Unlock()
		return
	}
	t.err = err
	if t.done != nil {
		close(t.done)
	}
	for _, f := range t.then {
		go (*f)()
	}
	t.then = nil
	if t.timer != nil {
		t.timer.Stop()
	}
	unwatch := t.unwatch
	t.mu.Unlock()
	if unwatch != nil {
		unwatch() // takes the parent's lock, whose holder may be waiting for ours
	}
}

// AfterFunc calls f in a goroutine of its own once the term has ended. The stop function
// cancels that, and reports whether it did. Package context looks for this method.
func (t *Term) AfterFunc(f func()) (stop func() bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		go f()
		return func() bool { return false }
	}
	if t.then == nil {
		t.then = t.room[:0]
	}
	t.then = append(t.then, &f)
	return func() bool { return t.forget(&f) }
}

func (t *Term) forget(f *func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.then, f)
	if i < 0 {
		return false
	}
	t.then = slices.Delete(t.then, i, i+1)
	return true
}

// AfterFunc is [context.AfterFunc], but allocates less if the context has the method
// itself.
func AfterFunc(ctx context.Context, f func()) (stop func() bool) {
	if t, ok := ctx.(afterFuncer); ok {
		return t.AfterFunc(f)
	}
	return context.AfterFunc(ctx, f)
}

// Deadline implements [context.Context].
func (t *Term) Deadline() (time.Time, bool) {
	end, ok := t.parent.Deadline()
	if !t.end.IsZero() && (!ok || t.end.Before(end)) {
		return t.end, true
	}
	return end, ok
}

// Done implements [context.Context].
func (t *Term) Done() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done == nil {
		t.done = make(chan struct{})
		if t.err != nil {
			close(t.done)
		}
	}
	return t.done
}

// Err implements [context.Context].
func (t *Term) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// Value implements [context.Context].
func (t *Term) Value(key any) any { return t.parent.Value(key) }
