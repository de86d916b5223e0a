//go:build linux || darwin

package store_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// While the disk refuses for days, hours wait in memory: they can be read, and are written once
// it accepts.
func TestHistory_OnADiskThatRefuses(t *testing.T) {
	if !inChild(t) {
		return
	}
	t.Run("ForDays", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			path := newPath(t)
			s := restarted(t, path)
			put(s, "a", provider.StateRunning)
			now := time.Now()
			pass := func(hours int) {
				for range hours {
					now = now.Add(time.Hour)
					s.Watch(store.Watched{Wall: now, Seen: time.Hour})
					s.Probed("a", true, time.Millisecond)
					time.Sleep(5 * time.Second)
					synctest.Wait()
				}
			}
			mustHave := func(when string, n int) {
				t.Helper()
				c := &wallClock{t, s, now}
				all, sum := c.all(s.Hours, "a"), total(c.all(s.Days, "a"))
				if len(all) != n+1 || sum.Probes != uint64(n) || sum.Known().Truncate(time.Hour) != time.Duration(n)*time.Hour {
					t.Errorf("%s: %d hours, %d probes, %s are known; want %d", when, len(all), sum.Probes, sum.Known(), n)
				}
			}
			pass(10)
			allow := refuseWrites(t)
			pass(70)
			mustHave("while it refuses", 80)
			allow()
			pass(2)
			alive(t, s)
			mustHave("when it accepts", 82)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, path, store.Options{})
			mustHave("after a restart", 82)
		})
	})
}
