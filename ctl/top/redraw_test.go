package top

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// newCrowd is a model with many rows, on a clock that the caller moves.
func newCrowd(many int) (m *model, rows []provider.Status, now *time.Time) {
	now = new(time.Time)
	*now = time.Unix(1_800_000_000, 0)
	m = newModel(func() time.Time { return *now }, Options{})
	m.width, m.height = 120, 40
	for i := range many {
		age := int64(i)
		rows = append(rows, provider.Status{
			ID: fmt.Sprintf("gpu-%04d", i), State: provider.StateStopped, Reason: "connection_refused", AgeMS: &age,
			Detail: "dial tcp 127.0.0.1:9: connection refused",
		})
	}
	m.update(rowsCame{&provider.StatusReply{TS: provider.Time{Time: *now}, Providers: rows}, true})
	return m, rows, now
}

// A screen that is drawn again without news costs what is on it, however many rows there are.
func TestModel_RedrawDoesNotGoThroughAllRows(t *testing.T) {
	redraw := func(many int) uint64 {
		m, _, now := newCrowd(many)
		m.frame()
		*now = now.Add(100 * time.Millisecond)
		m.update(clockTicked{})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 10 {
			m.frame()
			m.visible()
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	if few, many := redraw(100), redraw(2000); many > 2*few {
		t.Errorf("it allocates %d bytes with 2,000 rows, and %d with 100", many, few)
	}
}

// One second at rest: a few rows come with new ages, and the clock ticks.
func BenchmarkModel_SecondAtRest(b *testing.B) {
	m, rows, now := newCrowd(1000)
	for b.Loop() {
		*now = now.Add(time.Second)
		m.update(rowsCame{&provider.StatusReply{TS: provider.Time{Time: *now}, Providers: rows[:35]}, false})
		m.frame()
		m.visible()
		m.update(clockTicked{})
		m.frame()
		m.visible()
	}
}
