package ctl

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// atOnceWaiting is how many providers are requested at a time by a wait for several. Each
// request lasts until there is an answer.
const atOnceWaiting = 64

// A waiting is what to wait for, and for how long.
type waiting struct {
	app     *app
	targets []provider.State
	timeout time.Duration
	began   time.Time         // from when the timeout counts; zero: from now
	any     bool              // one provider is enough
	fleet   bool              // an ID can be of another machine's server
	say     func(text string) // reports that the daemon is away; nil: stderr does

	slots chan struct{}
	mu    sync.Mutex
	lost  bool // there is no daemon, which has been reported
}

// waitFor returns the rows that are current and in one of the states: of all providers
// that words mean, or of the first. It also waits for the daemon, and reports once each
// time that it is away.
func (w *waiting) waitFor(ctx context.Context, words []string) ([]provider.Status, error) {
	limited, cancel := context.WithTimeout(ctx, w.left())
	defer cancel()
	w.slots = make(chan struct{}, atOnceWaiting)
	ids := words
	if !single(words) {
		err := w.repeat(ctx, limited, strings.Join(words, ", "), func() (s *provider.Status, done bool, err error) {
			ids, err = w.named(limited, words)
			return nil, err == nil, err
		})
		if err != nil {
			return nil, err
		}
	}
	for left := ids; ; {
		rows, err := w.each(ctx, limited, left)
		if err != nil || len(ids) == 1 || w.any {
			return rows, err
		}
		// Each of them was, but some may not be any more.
		err = w.repeat(ctx, limited, strings.Join(ids, ", "), func() (*provider.Status, bool, error) {
			all, err := w.rows(limited)
			rows = inOrder(all, ids)
			return nil, err == nil, err
		})
		if err != nil {
			return nil, err
		}
		left = nil
		for _, id := range ids {
			if !slices.ContainsFunc(rows, func(s provider.Status) bool { return s.ID == id && w.reached(&s) }) {
				left = append(left, id)
			}
		}
		if len(left) == 0 {
			return rows, nil
		}
	}
}

// left is how much of the time is left. What came before does not use up all of it: there is
// time to ask once.
func (w *waiting) left() time.Duration {
	if w.began.IsZero() {
		return w.timeout
	}
	return max(min(w.timeout, time.Second), w.timeout-w.app.now().Sub(w.began))
}

// reached reports whether a row is what we wait for.
func (w *waiting) reached(s *provider.Status) bool {
	return current(*s, w.app.now()) && slices.Contains(w.targets, s.State)
}

// each waits for each of the IDs separately, until all are reached, or one cannot be; if
// one is enough, until one is reached, or none can be.
func (w *waiting) each(ctx, limited context.Context, ids []string) ([]provider.Status, error) {
	own, stop := context.WithCancel(limited)
	defer stop()
	rows, errs := make([]*provider.Status, len(ids)), make([]error, len(ids))
	var all sync.WaitGroup
	for i, id := range ids {
		all.Go(func() {
			if rows[i], errs[i] = w.one(ctx, own, id); w.any == (errs[i] == nil) {
				stop()
			}
		})
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err // an interrupt is never a timeout
	}
	var reached []provider.Status
	for _, s := range rows {
		if s != nil {
			reached = append(reached, *s)
		}
	}
	if w.any && len(reached) > 0 {
		return reached[:1], nil
	}
	return reached, outcomeOf(errs)
}

var (
	errOvertaken = errors.New("overtaken") // another wait decided
	errQueued    = errors.New("queued")    // its turn did not come
)

// outcomeOf is the error for the providers that were not reached. A timeout leads, because
// more time might have been enough.
func outcomeOf(errs []error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil || errors.Is(err, errOvertaken) })
	if len(errs) < 2 {
		return errors.Join(errs...)
	}
	lead := errs[0]
	for _, err := range errs {
		if provider.ExitCode(err) > provider.ExitCode(lead) {
			lead = err
		}
	}
	return &someFailed{errs: errs, lead: lead}
}

// one waits for one provider, until own ends.
func (w *waiting) one(ctx, own context.Context, id string) (found *provider.Status, err error) {
	maxAge := probePace
	err = w.repeat(ctx, own, id, func() (*provider.Status, bool, error) {
		select {
		case w.slots <- struct{}{}:
			defer func() { <-w.slots }()
		case <-own.Done():
			return nil, false, errQueued
		}
		s, err := w.look(own, id, maxAge)
		maxAge = lookPace // what was seen so far is not enough
		switch {
		case err != nil:
			return nil, false, err
		case w.reached(s):
			found = s
			return s, true, nil
		case needsPerson(*s, w.targets, w.app.now()):
			return s, false, provider.Errorf("", s.Hint, "%s is %s, which lasts until somebody acts", id, describe(*s))
		}
		return s, false, nil
	})
	return found, err
}

// repeat calls ask until it is done, or fails for good, or limited ends, which is a
// timeout. The daemon may be away meanwhile. With an error, ask returns a row if that
// decided.
func (w *waiting) repeat(ctx, limited context.Context, what string, ask func() (s *provider.Status, done bool, err error)) error {
	so := sofar{id: what, timeout: w.timeout}
	for {
		s, done, err := ask()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case done:
			w.found()
			return nil
		case s != nil && err != nil:
			return err
		case err == nil:
			so.last, so.at, so.answered, so.lost = s, time.Now(), true, nil
			w.found()
		case errors.Is(limited.Err(), context.Canceled):
			return errOvertaken
		case errors.Is(err, errQueued):
			return so.timedOut()
		case !mayReturn(err):
			return err
		default:
			if limited.Err() == nil {
				w.missing(err, what)
			}
			so.missed(err)
		}
		if !pause(limited, untilProbe(s, err)) {
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.Is(limited.Err(), context.Canceled):
				return errOvertaken
			}
			return so.timedOut()
		}
	}
}

// found remembers that the daemon answers.
func (w *waiting) found() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = false
}

// missing reports once that it does not.
func (w *waiting) missing(err error, what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.lost {
		w.lost = true
		text := err.Error() + "; still waiting for " + what
		if w.say != nil {
			w.say(text)
			return
		}
		w.app.say("%s", text)
	}
}
