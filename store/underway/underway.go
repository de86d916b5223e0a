// Package underway tracks operations that have begun and not ended. A disk or a network
// file system may not answer for minutes, and a system call that waits for it cannot be
// cancelled. Code that must not wait that long runs it here, and health checks find here
// what hangs.
//
// It imports only the standard library.
package underway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A Work tracks the operations of one sort. Its zero value is ready to use, by many
// goroutines at once.
type Work struct {
	// Most is how many calls of [Work.Within] and [Work.Await] may be in progress while the
	// oldest of them takes long: each that hangs costs a thread. 0: any number.
	Most int
	// Also tracks the same operations; it may be nil. Its Most does not apply here.
	Also *Work

	mu    sync.Mutex
	begun map[*task]struct{}
}

type task struct {
	what  string
	since time.Time
}

// long is the age of the oldest operation from which [Work.Most] applies.
const long = time.Second

// Begin notes that an operation begins, such as "a commit to PATH"; the function that it
// returns notes its end.
func (w *Work) Begin(what string) (end func()) {
	t := &task{what, time.Now()}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.begun == nil {
		w.begun = make(map[*task]struct{})
	}
	w.begun[t] = struct{}{}
	also := func() {}
	if w.Also != nil {
		also = w.Also.Begin(what)
	}
	return func() {
		also()
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.begun, t)
	}
}

// Oldest is the operation that has been in progress for longest, and its age; empty if there
// is none.
func (w *Work) Oldest() (what string, age time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	oldest := w.oldest()
	if oldest == nil {
		return "", 0
	}
	return oldest.what, time.Since(oldest.since)
}

func (w *Work) oldest() (found *task) {
	for t := range w.begun {
		if found == nil || t.since.Before(found.since) {
			found = t
		}
	}
	return found
}

// Within runs fn, and waits for it for at most limit. Its error is that of fn or a
// [*HangError]. In the latter case fn continues, so it must not touch what its caller uses
// afterwards. A panic of fn is passed to the caller, if it still waits.
func (w *Work) Within(limit time.Duration, what string, fn func() error) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return w.Await(ctx, what, fn)
}

// Await is like Within, but waits until ctx ends. If that is not because of its deadline, the
// error is the reason.
func (w *Work) Await(ctx context.Context, what string, fn func() error) error {
	if hang := w.full(); hang != nil {
		return hang
	}
	type result struct {
		err    error
		broken any
	}
	ended := make(chan result, 1)
	end := w.Begin(what)
	go func() {
		var r result
		defer func() {
			r.broken = recover()
			end()
			ended <- r
		}()
		r.err = fn()
	}()
	began := time.Now()
	select {
	case r := <-ended:
		if r.broken != nil {
			panic(r.broken)
		}
		return r.err
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return &HangError{what, time.Since(began)}
		}
		return context.Cause(ctx)
	}
}

// full is why no more operations may begin; nil if they may.
func (w *Work) full() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.Most == 0 || len(w.begun) < w.Most {
		return nil
	}
	oldest := w.oldest()
	if age := time.Since(oldest.since); age >= long {
		return &HangError{oldest.what, age}
	}
	return nil
}

// A HangError says that an operation has not ended in time.
type HangError struct {
	What string // such as "reading events from PATH"
	For  time.Duration
}

func (e *HangError) Error() string {
	return fmt.Sprintf("%s has not ended for %s: the disk does not answer", e.What, Rounded(e.For))
}

// Hint says what to do next.
func (e *HangError) Hint() string {
	return "check the disk and its mounts: findmnt, dmesg; see: providerctl health"
}

// Rounded is a duration rounded for people.
func Rounded(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(time.Second / 10)
	}
	return d.Round(time.Second)
}
