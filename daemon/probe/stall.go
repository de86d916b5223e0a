package probe

import (
	"context"
	"fmt"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A load is the requests that an engine has, and how far it has come with them.
type load struct {
	running, waiting float64 // requests
	// progress is a digest of what moves when the engine works. What moves because of its
	// callers, such as the number of requests received, is not part of it.
	progress uint64
	// patience is how long the engine may show no sign of work, given what it does now.
	patience time.Duration

	told   bool // the engine reported running
	queued bool // it reported waiting, too
	slots  int  // how many requests it works on at a time; 0: not known
}

func (l load) isWork() bool { return l.running > 0 || l.waiting > 0 }

// String is "2 running and 5 waiting requests".
func (l load) String() string {
	total, what := l.running+l.waiting, ""
	switch {
	case l.waiting == 0:
		what = fmt.Sprintf("%g running", l.running)
	case l.running == 0:
		what = fmt.Sprintf("%g waiting", l.waiting)
	default:
		what = fmt.Sprintf("%g running and %g waiting", l.running, l.waiting)
	}
	if total == 1 {
		return what + " request"
	}
	return what + " requests"
}

// busy is the load as rows have it; nil if the engine did not report it.
func (l load) busy() *provider.Busy {
	if !l.told {
		return nil
	}
	b := &provider.Busy{Running: provider.BoundBusy(l.running), Slots: provider.BoundBusy(float64(l.slots))}
	if l.queued {
		waiting := provider.BoundBusy(l.waiting)
		b.Waiting = &waiting
	}
	return b
}

// A stall is what a watcher remembers about an engine: how far it had come, since when, and
// whether it hangs. The health page may still answer while the engine hangs.
type stall struct {
	progress uint64
	working  bool // it had work
	since    time.Time
	ill      string // what is wrong with it
}

// take processes the engine's current load, and reports whether it hangs. Waiting requests
// are work too. If counters restart, the engine restarted.
func (s *stall) take(l load, now time.Time, says string) finding {
	if !l.isWork() || !s.working || l.progress != s.progress {
		s.since = now
	}
	s.progress, s.working, s.ill = l.progress, l.isWork(), ""
	if stalled := now.Sub(s.since); s.working && stalled >= l.patience {
		s.ill = fmt.Sprintf("%s, but no token from the %s for %s", says, l, stalled.Round(time.Second))
	}
	return s.finding()
}

// finding is what was found last.
func (s *stall) finding() finding {
	if s.ill == "" {
		return finding{}
	}
	return finding{saw: provider.Hung, detail: s.ill}
}

// watchMetrics makes a watcher for an engine whose metrics, in Prometheus' format, show its
// work. If they cannot be read, nothing changes: a stalled engine stays stalled. While the
// engine has work they are read with every probe.
func watchMetrics(m *engineMetrics) func() watcher {
	return func() watcher {
		var s stall
		return func(ctx context.Context, r *run) (finding, bool) {
			a := r.get(ctx, "/metrics")
			if a.err != nil || a.status >= 500 || !a.whole() {
				return s.finding(), s.working
			}
			var l load
			if a.status == 200 {
				l = m.read(a.body)
			}
			r.busy = l.busy()
			return s.take(l, r.p.now(), m.says), l.isWork()
		}
	}
}
