package term_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"go.uber.org/goleak"

	"github.com/providerd/providerd/daemon/probe/term"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type key struct{}

// A made context is one under test, with a parent that can be ended too.
type made struct {
	context.Context
	cancel, cancelParent func()
}

// makers make the same context in every way: with only package context, which is the model,
// and with a Term as parent, child and both.
func makers(parentLimit, limit time.Duration) map[string]func() made {
	standard := func(parent context.Context, limit time.Duration) (context.Context, func()) {
		if limit == 0 {
			return context.WithCancel(parent)
		}
		return context.WithTimeout(parent, limit)
	}
	ours := func(parent context.Context, limit time.Duration) (context.Context, func()) {
		t := term.New(parent, limit)
		return t, t.Cancel
	}
	type way func(context.Context, time.Duration) (context.Context, func())
	within := func(outer, inner way) func() made {
		return func() made {
			root := context.WithValue(context.Background(), key{}, "value")
			parent, cancelParent := outer(root, parentLimit)
			ctx, cancel := inner(parent, limit)
			return made{ctx, cancel, cancelParent}
		}
	}
	return map[string]func() made{
		"Standard":        within(standard, standard),
		"Term":            within(standard, ours),
		"TermInTerm":      within(ours, ours),
		"StandardInATerm": within(ours, standard),
	}
}

// A Term ends like a context of package context, in every way that one can end.
func TestTerm_EndsAsAContextDoes(t *testing.T) {
	for name, tt := range map[string]struct {
		parentLimit, limit time.Duration
		do                 func(made)
		want               error
		after              time.Duration // it ends; negative: it does not
		deadline           time.Duration // 0: none
	}{
		"Goes on":             {0, 0, func(made) {}, nil, -1, 0},
		"Cancelled":           {0, 0, func(m made) { m.cancel() }, context.Canceled, 0, 0},
		"CancelledTwice":      {0, 0, func(m made) { m.cancel(); m.cancel() }, context.Canceled, 0, 0},
		"ByItsParent":         {0, 0, func(m made) { m.cancelParent() }, context.Canceled, 0, 0},
		"TimeIsOver":          {0, time.Second, func(made) {}, context.DeadlineExceeded, time.Second, time.Second},
		"CancelledInTime":     {0, time.Second, func(m made) { m.cancel() }, context.Canceled, 0, time.Second},
		"ParentInTime":        {0, time.Second, func(m made) { m.cancelParent() }, context.Canceled, 0, time.Second},
		"CancelledTooLate":    {0, time.Second, func(m made) { time.Sleep(2 * time.Second); m.cancel() }, context.DeadlineExceeded, time.Second, time.Second},
		"ParentsTimeIsSooner": {time.Second, time.Minute, func(made) {}, context.DeadlineExceeded, time.Second, time.Second},
		"ParentsTimeIsLater":  {time.Minute, time.Second, func(made) {}, context.DeadlineExceeded, time.Second, time.Second},
		"ParentsTimeAlone":    {time.Second, 0, func(made) {}, context.DeadlineExceeded, time.Second, time.Second},
	} {
		for way, make := range makers(tt.parentLimit, tt.limit) {
			t.Run(name+"/"+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					began := time.Now()
					m := make()
					defer m.cancelParent()
					defer m.cancel()
					called := -time.Second
					context.AfterFunc(m, func() { called = time.Since(began) })
					child, cancel := context.WithCancel(m)
					defer cancel()
					if at, ok := m.Deadline(); ok != (tt.deadline != 0) || ok && at.Sub(began) != tt.deadline {
						t.Errorf("deadline %v, %t", at.Sub(began), ok)
					}
					if m.Value(key{}) != "value" || m.Err() != nil {
						t.Errorf("value %v, error %v", m.Value(key{}), m.Err())
					}
					tt.do(m)
					time.Sleep(3 * time.Second)
					synctest.Wait()
					if m.Err() != tt.want || child.Err() != tt.want || context.Cause(m) != tt.want {
						t.Errorf("error %v, cause %v, of a child %v; want %v", m.Err(), context.Cause(m), child.Err(), tt.want)
					}
					if ended(m) != (tt.want != nil) || ended(child) != (tt.want != nil) {
						t.Errorf("done: %t, the child %t", ended(m), ended(child))
					}
					if want := max(tt.after, -time.Second); called != want && tt.after >= 0 || tt.after < 0 && called >= 0 {
						t.Errorf("called after %v, want %v", called, want)
					}
				})
			})
		}
	}
}

func ended(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	default:
		return false
	}
}

// A term within an ended parent has ended too.
func TestTerm_OfAnEndedParent(t *testing.T) {
	for way, make := range makers(0, time.Hour) {
		synctest.Test(t, func(t *testing.T) {
			m := make()
			m.cancelParent()
			synctest.Wait()
			for _, limit := range []time.Duration{0, time.Hour} {
				late := term.New(m, limit)
				if !errors.Is(late.Err(), context.Canceled) || !ended(late) {
					t.Errorf("%s: error %v, done %t", way, late.Err(), ended(late))
				}
				late.Cancel()
			}
			m.cancel()
		})
	}
}

// A stopped function is not called, a called one cannot be stopped, and each is called at
// most once, whatever else ends or stops at the same time.
func TestTerm_AfterFunc(t *testing.T) {
	for way, make := range makers(0, time.Hour) {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := make()
				var calls []string
				call := func(name string) func() { return func() { calls = append(calls, name) } }
				stop := term.AfterFunc(m, call("stopped"))
				if !stop() || stop() {
					t.Error("stopped never, or twice")
				}
				kept := term.AfterFunc(m, call("kept"))
				m.cancel()
				synctest.Wait()
				late := term.AfterFunc(m, call("late"))
				synctest.Wait()
				if kept() || late() {
					t.Error("what was called was stopped")
				}
				m.cancel()
				m.cancelParent()
				synctest.Wait()
				if !slices.Equal(calls, []string{"kept", "late"}) {
					t.Errorf("called %v", calls)
				}
			})
		})
	}
}

// A living parent keeps nothing of an ended term.
func TestTerm_IsForgottenByItsParent(t *testing.T) {
	std, cancel := context.WithCancel(t.Context())
	defer cancel()
	ours := term.New(std, 0)
	defer ours.Cancel()
	for name, parent := range map[string]context.Context{"Standard": std, "Term": ours} {
		child := term.New(parent, 0) // no timer: the runtime forgets a stopped one when it likes
		gone := weak.Make(child)
		child.Cancel()
		runtime.GC()
		if gone.Value() != nil {
			t.Errorf("%s: it is kept", name)
		}
		runtime.KeepAlive(parent)
	}
}

// probe does with a context what a probe does.
func probe(ctx context.Context, cancel func()) {
	stop := term.AfterFunc(ctx, func() {})
	_ = ctx.Err()
	stop()
	cancel()
}

func standard(root context.Context) {
	outer, cancelOuter := context.WithCancel(root)
	probe(context.WithTimeout(outer, time.Hour))
	cancelOuter()
}

func ours(root context.Context) {
	outer := term.New(context.WithoutCancel(root), 0)
	inner := term.New(outer, time.Hour)
	probe(inner, inner.Cancel)
	outer.Cancel()
}

// Package term is worth keeping as long as package context needs more memory for the same.
func TestTerm_NeedsHalfOfWhatPackageContextNeeds(t *testing.T) {
	root, cancel := context.WithCancel(t.Context())
	defer cancel()
	bytes := func(f func(context.Context)) uint64 {
		const calls = 1000
		var from, to runtime.MemStats
		runtime.ReadMemStats(&from)
		for range calls {
			f(root)
		}
		runtime.ReadMemStats(&to)
		return (to.TotalAlloc - from.TotalAlloc) / calls
	}
	if n, theirs := bytes(ours), bytes(standard); n > theirs/2 {
		t.Errorf("%d bytes, package context %d", n, theirs)
	}
}

func BenchmarkTerm(b *testing.B) {
	root, cancel := context.WithCancel(b.Context())
	defer cancel()
	for name, f := range map[string]func(context.Context){"Term": ours, "Standard": standard} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f(root)
			}
		})
	}
}
