package store_test

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// A population is providers that are probed for months.
type population struct {
	providers, days int
	probes          int // of each in an hour
}

// months passes the time of a population. Each day one provider in thirty fails for 40
// minutes. Every probe of a provider takes about as long as its others: half to twice.
func months(t testing.TB, s *store.Store, p population) {
	names := ids(p.providers)
	random := rand.New(rand.NewPCG(1, 2))
	spread := make([]float64, 1<<14)
	for i := range spread {
		spread[i] = math.Exp(random.NormFloat64() * 0.35)
	}
	s.Configure(names, nil)
	s.Watch(store.Watched{Wall: time.Now()})
	put := func(state provider.State, day int) {
		for i, id := range names {
			if day < 0 || i%30 == day%30 {
				s.Put(change(id, state, ""))
			}
		}
	}
	put(provider.StateRunning, -1)
	for day := range p.days {
		for hour := range 24 {
			for i, id := range names {
				usual := float64(20*time.Millisecond) * (1 + float64(i%50))
				for range p.probes {
					s.Probed(id, true, time.Duration(usual*spread[random.IntN(len(spread))]))
				}
			}
			pass := func(d time.Duration) {
				time.Sleep(d)
				s.Watch(store.Watched{Wall: time.Now(), Seen: d})
			}
			if hour == 12 {
				put(provider.StateStopped, day)
				pass(40 * time.Minute)
				put(provider.StateRunning, day)
				pass(20 * time.Minute)
			} else {
				pass(time.Hour)
			}
			synctest.Wait()
		}
	}
}

// The long run, as docs/decisions/rollups.md has it: PROVIDERD_MONTHS=1 go test -run MonthsFit -v ./store
func TestHistory_MonthsFit(t *testing.T) {
	full := os.Getenv("PROVIDERD_MONTHS") != ""
	tests := []struct {
		name string
		population
		bytes, written int64
	}{
		{"Ten", population{10, 8, 120}, 1 << 20, 6 << 20},
		{"Hundred", population{100, 3, 30}, 1 << 20, 4 << 20},
		{"TenForLong", population{10, 420, 120}, 1 << 20, 300e6},
		{"Thousand", population{1000, 90, 120}, 55e6, 300e6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.days > 20 && !full {
				t.Skip("takes a minute: set PROVIDERD_MONTHS=1")
			}
			synctest.Test(t, func(t *testing.T) {
				path := newPath(t)
				s := open(t, path, store.Options{})
				before, commits := store.Written(s), s.Stats().Commits
				months(t, s, tt.population)
				wrote := store.Written(s) - before
				stats := s.Stats()
				t.Logf("%d providers, %d days: %d bytes, %d free pages, %d written, %d commits", tt.providers, tt.days, stats.Bytes, stats.FreePages, wrote, stats.Commits-commits)
				if stats.Bytes > tt.bytes {
					t.Errorf("the file has %d bytes, want %d at most", stats.Bytes, tt.bytes)
				}
				if tt.written > 0 && wrote > tt.written {
					t.Errorf("%d bytes were written, want %d at most", wrote, tt.written)
				}
				// One commit an hour, and two a day for those that fail.
				if most := uint64(tt.days*27 + 5); stats.Commits-commits > most {
					t.Errorf("%d commits, want %d at most", stats.Commits-commits, most)
				}
				all := days(t, s, "p0")
				if n := min(tt.days, 400); len(all) != n || all[0].Probes != uint64(24*tt.probes) {
					t.Fatalf("%d days, want %d; probes in the first: %d", len(all), n, all[0].Probes)
				}
				if tt.days <= 400 {
					mustBe(t, &all[0], 24*time.Hour-40*time.Minute, 40*time.Minute)
					mustBe(t, &all[1], 24*time.Hour, 0)
				}
				from := time.Now().Add(-store.KeepHours)
				kept, err := s.Hours("p1", from, time.Now())
				if err != nil || len(kept) != min(tt.days, 14)*24 {
					t.Errorf("%d hours (%v)", len(kept), err)
				}
				if err := s.Check(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
