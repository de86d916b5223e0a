package probe

import (
	"context"
	"fmt"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A load is what an engine has in hand, and how far it has come with it.
type load struct {
	running, waiting float64 // requests
	// progress is a digest of what moves when the engine works. What its callers alone
	// move, such as how many requests came, is not in it.
	progress uint64
	// patience is how long the engine may show no sign of work, for what it does now.
	patience time.Duration
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

// A stall is the memory of who watches an engine: how far it had come, when it came
// there, and whether it is ill. An engine that hangs goes on to answer those who ask
// how it is.
type stall struct {
	progress uint64
	working  bool // it had work
	since    time.Time
	ill      string // what is wrong with it
}

// take takes in what the engine has in hand now, and says whether it hangs: whoever
// waits is work in hand too. Counters that begin anew are an engine that began anew.
func (s *stall) take(l load, now time.Time, says string) finding {
	if !l.isWork() || !s.working || l.progress != s.progress {
		s.since = now
	}
	s.progress, s.working, s.ill = l.progress, l.isWork(), ""
	if stalled := now.Sub(s.since); s.working && stalled >= l.patience {
		s.ill = fmt.Sprintf("%s, and no token came of the %s for %s", says, l, stalled.Round(time.Second))
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

// watchMetrics makes a watcher of an engine that tells of its work in Prometheus'
// format. Metrics that do not come tell nothing, and so do not say either that an
// engine moves again. While it has work they are looked at with every probe.
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
			return s.take(l, r.p.now(), m.says), l.isWork()
		}
	}
}
