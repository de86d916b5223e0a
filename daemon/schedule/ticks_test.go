package schedule

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/config"
)

// Providers share the moments at which the daemon wakes up, about one a second. Providers that were
// all probed at once spread over them again.
func TestScheduler_ProbesShareTicks(t *testing.T) {
	for _, timeout := range []time.Duration{time.Second, 1500 * time.Millisecond, 10 * time.Second} {
		t.Run(timeout.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const providers, after = 200, 10
				random := rand.New(rand.NewPCG(1, 2))
				w := newHarness(t, Options{Random: random.Float64})
				var list []config.Provider
				for i := range providers {
					p := settings(fmt.Sprintf("p%d", i))
					p.Timeout = timeout
					w.play(p.ID, takes(time.Duration(i)*time.Millisecond/10))
					list = append(list, p)
				}
				w.apply(list...)
				w.run()
				time.Sleep(time.Minute)
				w.Refresh(nil, false)
				time.Sleep(after * list[0].Interval)
				from := time.Now()
				time.Sleep(list[0].Interval)
				moments := map[time.Time]int{}
				for _, p := range list {
					for _, began := range w.probes(p.ID) {
						if !began.Before(from) {
							moments[began.Truncate(2*burstWait)]++ // one after the other
						}
					}
				}
				if len(moments) > 15 {
					t.Errorf("%d moments in %s", len(moments), list[0].Interval)
				}
				for at, n := range moments {
					if n > providers/2 {
						t.Errorf("%d of %d providers are asked at once still, at %s", n, providers, at)
					}
				}
			})
		})
	}
}
