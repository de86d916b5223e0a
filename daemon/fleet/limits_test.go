package fleet_test

import (
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store/provider"
)

func TestEngine_ALimitOfOneHoldsAllAndEnds(t *testing.T) {
	inLab(t, 4, 2, func(l *lab) {
		met := l.other(l.prober("p0"))
		l.play("p0", provider.RateLimited, 90*time.Second)
		began := time.Now()
		met.local.CheckSoon("p0")
		l.until(200*time.Millisecond, "everybody holds back", func() bool {
			for _, m := range l.machines {
				if time.Until(m.entry("p0").held) < 85*time.Second {
					return false
				}
			}
			return true
		})
		l.play("p0", provider.OK, 0)
		began = began.Add(time.Second)
		time.Sleep(88 * time.Second)
		for _, m := range l.machines {
			if n := m.probes("p0", began); n > 0 {
				t.Errorf("%s probed %d times during the wait", m.name, n)
			}
			if m.entry("p1").held.After(time.Now()) {
				t.Errorf("%s holds back from another vendor", m.name)
			}
		}
		time.Sleep(10 * time.Second)
		late := l.boot("late", nil)
		time.Sleep(time.Minute)
		for _, m := range l.machines {
			if e := m.entry("p0"); e.held.After(time.Now()) || e.row.Reason != provider.OK {
				t.Errorf("%s: held until %v, %s", m.name, e.held, e.row.Reason)
			}
		}
		_ = late
	})
}

func TestEngine_ALimitHoldsOneThatJoinsLater(t *testing.T) {
	inLab(t, 2, 1, func(l *lab) {
		l.play("p0", provider.RateLimited, 10*time.Minute)
		l.prober("p0").local.CheckSoon("p0")
		time.Sleep(4 * time.Minute)
		l.play("p0", provider.OK, 0)
		late := l.boot("late", nil)
		time.Sleep(3 * time.Second)
		if left := time.Until(late.entry("p0").held); left < 5*time.Minute+50*time.Second || left > 6*time.Minute+3*time.Second {
			t.Errorf("it holds back for %v, want about six minutes", left)
		}
	})
}

// A wait that is longer than what the fleet shares must not be written all the time.
func TestEngine_ALongLimitIsWrittenRarely(t *testing.T) {
	inLab(t, 2, 1, func(l *lab) {
		l.play("p0", provider.RateLimited, 24*time.Hour)
		l.prober("p0").local.CheckSoon("p0")
		time.Sleep(time.Second)
		written := 0
		l.store.mu.Lock()
		l.store.written = func(_ string, c bus.Change, _ int64) {
			if k, ok := wire.ParseKey(c.Key); ok && k.Kind == wire.Limits {
				written++
			}
		}
		l.store.mu.Unlock()
		for range 11 {
			time.Sleep(time.Hour)
			for _, m := range l.machines {
				if left := time.Until(m.entry("p0").held); left < 5*time.Minute {
					t.Errorf("%s holds back for %v", m.name, left)
				}
			}
		}
		if written < 8 || written > 40 {
			t.Errorf("the limit was written %d times in 11 hours", written)
		}
	})
}

func TestEngine_ARefreshAnywhereIsAnswered(t *testing.T) {
	inLab(t, 4, 1, func(l *lab) {
		holder, checks := l.prober("p0"), 0
		for range 20 {
			for _, m := range l.machines {
				began := time.Now()
				gen := m.local.Refresh([]string{"p0"}, false).Generation
				l.until(schedule.AnswerWithin-time.Second, "an answer to "+m.name, func() bool { return m.entry("p0").row.Generation >= gen })
				if m != holder {
					checks += m.probes("p0", began)
				}
				if at := m.entry("p0").row.CheckedAt; at.Before(began.Add(-probeTakes)) {
					t.Errorf("%s: the answer's probe began %v before the request", m.name, began.Sub(at.Time))
				}
				time.Sleep(1337 * time.Millisecond)
			}
		}
		if checks > 80/10+1 { // own checks are a tenth of the prober's probes
			t.Errorf("%d of 80 refreshes were probed by the member itself", checks)
		}
	})
}

// All at once, and while a probe is in progress: an answer is of a probe that began afterwards.
func TestEngine_ARefreshIsNotAnsweredByAnEarlierProbe(t *testing.T) {
	inLab(t, 4, 1, func(l *lab) {
		for n := range 40 {
			for _, m := range l.machines {
				began := time.Now()
				gen := m.local.Refresh([]string{"p0"}, false).Generation
				time.Sleep(time.Duration(n) * 3 * time.Millisecond)
				go func() {
					for m.entry("p0").row.Generation < gen && time.Since(began) < 4*time.Second {
						time.Sleep(time.Millisecond)
					}
					if gen > m.entry("p0").row.Generation {
						t.Errorf("%s got no answer", m.name)
					}
					if at := m.entry("p0").row.CheckedAt; at.Before(began) {
						t.Errorf("%s: the answer's probe began %v before the request", m.name, began.Sub(at.Time))
					}
				}()
			}
			time.Sleep(10 * time.Second)
		}
	})
}

func TestEngine_OwnChecksAreFew(t *testing.T) {
	inLab(t, 6, 1, func(l *lab) {
		holder, began := l.prober("p0"), time.Now()
		time.Sleep(10 * time.Hour)
		if l.prober("p0") != holder {
			t.Fatal("another member probes")
		}
		sum := 0
		for _, m := range l.machines {
			n := m.probes("p0", began)
			if m == holder {
				continue
			}
			if sum += n; n < 5 {
				t.Errorf("%s made %d checks in 10 hours", m.name, n)
			}
		}
		if held := holder.probes("p0", began); sum*10 > held+50 {
			t.Errorf("%d own checks beside %d probes", sum, held)
		}
	})
}

func TestEngine_AFollowerMakesNoChecks(t *testing.T) {
	inLab(t, 2, 1, func(l *lab) {
		follower := l.boot("follower", func(f *config.Fleet) { f.Trust = config.Follow })
		time.Sleep(20 * time.Second)
		if l.prober("p0") == follower {
			t.Fatal("the follower claimed")
		}
		began := time.Now()
		time.Sleep(5 * time.Hour)
		if n := follower.probes("p0", began); n != 0 {
			t.Errorf("it made %d checks", n)
		}
	})
}
