package schedule

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// Setting the clock, in either direction, is logged once, shifts the shown times, and changes nothing
// else: no provider is probed sooner or later, or becomes unknown.
func TestMachine_ClockSet(t *testing.T) {
	const years = 10 * 365 * 24 * time.Hour
	for name, tt := range map[string]struct {
		by   time.Duration
		says string
	}{
		"Forward": {years, "this machine's clock was set forward: by=87600h0m0s"},
		"Back":    {-years, "this machine's clock was set back: by=87600h0m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var set atomic.Int64
				var log bytes.Buffer
				wall := func() time.Time { return time.Now().Add(time.Duration(set.Load())) }
				w := newHarness(t, Options{
					Wall: wall, Asleep: func() time.Duration { return 0 },
					Log: hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Warn}),
				})
				w.play("a", func(_ context.Context, n int) probe.Observation {
					return probe.Observation{Saw: provider.RateLimited, RetryAt: time.Now().Add(10 * time.Minute)}
				})
				w.apply(cloud("a"), cloud("b"))
				w.run()
				time.Sleep(time.Minute)
				before := time.Now()
				was, asked := w.row("a"), len(w.probes("b"))
				set.Store(int64(tt.by))
				time.Sleep(6 * time.Second)
				st := w.row("a")
				for what, pair := range map[string][2]provider.Time{
					"since": {was.Since, st.Since}, "checked_at": {was.CheckedAt, st.CheckedAt}, "retry_at": {was.RetryAt, st.RetryAt},
				} {
					if !pair[1].Equal(pair[0].Add(tt.by)) {
						t.Errorf("%s was %s, and is %s", what, pair[0], pair[1])
					}
				}
				if st.Since.After(wall()) || st.CheckedAt.After(wall()) || w.Watch().Jumped() != tt.by {
					t.Errorf("%+v, jumped %s", st, w.Watch().Jumped())
				}
				time.Sleep(8 * time.Minute)
				if got := w.eventsAfter(before); len(got) != 0 {
					t.Errorf("events %q", got)
				}
				if n := len(w.probes("a")); n != 1 {
					t.Errorf("%d probes before the wait is over", n)
				}
				if n := len(w.probes("b")) - asked; n < 7 || n > 10 {
					t.Errorf("the other was asked %d times in eight minutes", n)
				}
				time.Sleep(3 * time.Minute)
				if n := len(w.probes("a")); n != 2 {
					t.Errorf("%d probes after the wait", n)
				}
				if n := strings.Count(log.String(), "clock was set"); n != 1 || !strings.Contains(log.String(), tt.says) {
					t.Errorf("said %d times:\n%s", n, log.String())
				}
				w.stop()
				again, err := store.Open(w.path, store.Options{})
				if err != nil {
					t.Fatal(err)
				}
				defer again.Close()
				if got := again.Restored()["b"].Since; got.After(wall()) && tt.by < 0 {
					t.Errorf("on the disk it is so since %s", got)
				}
			})
		})
	}
}
