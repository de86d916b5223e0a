package store_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

// A wallClock passes time on the clock of the wall alone, which takes no time to simulate.
type wallClock struct {
	t   testing.TB
	s   *store.Store
	now time.Time
}

func (c *wallClock) pass(d, jumped time.Duration) {
	c.t.Helper()
	c.now = c.now.Add(d + jumped)
	c.s.Watch(store.Watched{Wall: c.now, Seen: d, Jumped: jumped})
	alive(c.t, c.s)
}

// all reads hours or days.
func (c *wallClock) all(step func(string, time.Time, time.Time) ([]rollup.Bucket, error), id string) []rollup.Bucket {
	c.t.Helper()
	all, err := step(id, time.Time{}, c.now.AddDate(30, 0, 0))
	if err != nil {
		c.t.Fatal(err)
	}
	return all
}

func mustChanges(t testing.TB, s *store.Store, id string) []rollup.Change {
	t.Helper()
	rec, err := s.Changes(id, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return rec.Changes
}

// Hours go after 14 days, days and changes after 400, and then nothing is known any more of a
// provider that was removed before that. What is kept is whole.
func TestHistory_Ages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := newPath(t)
		s := restarted(t, path)
		put(s, "b", provider.StateRunning)
		c := &wallClock{t, s, time.Now()}
		flap(c, 120)
		c.pass(time.Hour, 0)
		s.Configure([]string{"a"}, nil) // b is removed
		for range 16 * 24 {
			c.pass(time.Hour, 0)
		}
		kept := c.all(s.Hours, "a")
		if oldest := c.now.Sub(kept[0].Time); oldest > store.KeepHours+2*rollup.Hour || len(kept) < 14*24 {
			t.Errorf("%d hours are kept, the oldest for %s", len(kept), oldest)
		}
		if n := len(c.all(s.Days, "a")); n != 17 {
			t.Errorf("%d days of 17", n)
		}
		flap(c, 120)
		for range 396 {
			c.pass(rollup.Day, 0)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, path, store.Options{})
		all := c.all(s.Days, "a")
		if oldest := c.now.Sub(all[0].Time); oldest > store.KeepDays+2*rollup.Day || len(all) < 400 {
			t.Errorf("%d days are kept, the oldest for %s", len(all), oldest)
		}
		for i := range all[:len(all)-1] {
			if all[i].Known() != rollup.Day {
				t.Errorf("%s of %s are known", all[i].Known(), all[i].Time)
			}
		}
		changes := mustChanges(t, s, "a")
		if n := len(changes); n < 120 || n > 150 || changes[n-1].State != provider.StateRunning {
			t.Errorf("%d changes are kept", n)
		}
		if n := len(c.all(s.Days, "b")) + len(c.all(s.Hours, "b")) + len(mustChanges(t, s, "b")); n != 0 {
			t.Errorf("%d parts are kept of a provider that was removed long ago", n)
		}
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// flap makes so many changes of a's state, a second each, and leaves it RUNNING.
func flap(c *wallClock, n int) {
	for i := range n {
		state := provider.StateStopped
		if i%2 == 1 {
			state = provider.StateRunning
		}
		c.s.Put(change("a", state, ""))
		c.now = c.now.Add(time.Second)
		c.s.Watch(store.Watched{Wall: c.now, Seen: time.Second})
	}
	alive(c.t, c.s)
}

// A clock that is wrong for some hours, and then right again, costs a few hours of the history
// and no day.
func TestHistory_ClockIsWrongForAWhile(t *testing.T) {
	const before, wrongFor = 13 * 24, 5
	for _, by := range []time.Duration{20 * 365 * rollup.Day, 3 * rollup.Day, -3 * rollup.Day} {
		synctest.Test(t, func(t *testing.T) {
			path := newPath(t)
			s := restarted(t, path)
			put(s, "a", provider.StateRunning)
			c := &wallClock{t, s, time.Now()}
			for range before {
				c.pass(time.Hour, 0)
			}
			past := c.all(s.Days, "a")
			c.pass(time.Second, by)
			for range wrongFor {
				c.pass(time.Hour, 0)
			}
			c.pass(time.Second, -by)
			c.pass(time.Hour, 0)
			for _, s := range []*store.Store{s, open(t, crashed(t, path), store.Options{})} {
				sum := total(c.all(s.Hours, "a"))
				const most = (before+wrongFor+1)*time.Hour + 2*time.Second
				if lost := most - sum.Known(); lost < -2*time.Second || lost > 2*(wrongFor+1)*time.Hour {
					t.Errorf("%s: %s of the hours are lost", by, lost)
				}
				now := c.all(s.Days, "a")
				for i := range past[:len(past)-1] {
					if !now[i].Time.Equal(past[i].Time) || now[i].Known() < past[i].Known() {
						t.Errorf("%s: of %s are known %s, and were %s", by, now[i].Time, now[i].Known(), past[i].Known())
					}
				}
			}
		})
	}
}
