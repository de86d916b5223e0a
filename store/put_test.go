package store_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

func TestStore_Put(t *testing.T) {
	t.Run("CommitsBeforePublishing", func(t *testing.T) {
		path := newPath(t)
		s := configured(t, path, store.Options{}, "a")
		seen := s.NextEvents()
		s.Put(change("a", provider.StateRunning, "up"))
		<-seen
		// What a crash at the very moment of seeing it would leave.
		crashed := open(t, copyOf(t, path), store.Options{})
		if events := mustEvents(t, crashed, 0, 0); len(events) != 1 || events[0].Detail != "up" {
			t.Errorf("a client saw an event that a crash would lose: kept %v", events)
		}
		if got := crashed.Restored()["a"].State; got != provider.StateRunning {
			t.Errorf("a client saw RUNNING, and a crash would leave %q", got)
		}
	})
	t.Run("PublishesRowAndEventTogether", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := configured(t, newPath(t), store.Options{}, "a")
			changed := s.Changed("a")
			s.Put(change("a", provider.StateRunning, "up"))
			<-changed
			view := s.View()
			if view.Seq() != 1 || view.Row("a").Status.State != provider.StateRunning {
				t.Errorf("after the change: seq %d, state %s", view.Seq(), view.Row("a").Status.State)
			}
			if events := mustEvents(t, s, 0, 0); len(events) != 1 || events[0].Seq != 1 {
				t.Errorf("after the change: events %v", events)
			}
		})
	})
	t.Run("UnchangedIsPublishedAtOnceWithoutCommit", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := configured(t, newPath(t), store.Options{}, "a")
			s.Put(result("a", provider.StateRunning, ""))
			synctest.Wait()
			before := s.Stats().Commits
			changed := s.Changed("a")
			for i := range 1000 {
				s.Put(result("a", provider.StateRunning, fmt.Sprint(i)))
				if got := s.View().Row("a").Status.Detail; got != fmt.Sprint(i) {
					t.Fatalf("put %d, read %s", i, got)
				}
				time.Sleep(time.Second)
			}
			if !isClosed(changed) {
				t.Error("who waited for the row was not woken")
			}
			if got := s.Stats().Commits; got != before {
				t.Errorf("unchanged results cost %d commits", got-before)
			}
		})
	})
	t.Run("ANewTimeToBeAskedAgainSurvivesACrash", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			path := newPath(t)
			s := configured(t, path, store.Options{}, "a")
			u := change("a", provider.StateDegraded, "limited")
			u.Status.RetryAt = provider.Time{Time: time.Now().Add(time.Minute)}
			s.Put(u)
			synctest.Wait()
			later := result("a", provider.StateDegraded, "limited still")
			later.Status.RetryAt = provider.Time{Time: time.Now().Add(time.Hour)}
			s.Put(later)
			time.Sleep(2 * time.Second)
			synctest.Wait()
			crashed := configured(t, copyOf(t, path), store.Options{}, "a")
			if got := crashed.View().Row("a").Status.RetryAt; !got.Equal(later.Status.RetryAt.Truncate(time.Millisecond)) {
				t.Errorf("after a crash it may be asked again at %v, want %v", got, later.Status.RetryAt)
			}
			if events := mustEvents(t, s, 0, 0); len(events) != 1 {
				t.Errorf("events %v, want the one change", events)
			}
		})
	})
	t.Run("UnchangedBehindAChangeWaitsForIt", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := configured(t, newPath(t), store.Options{}, "a")
			synctest.Wait()
			s.Put(change("a", provider.StateRunning, "changed"))
			s.Put(result("a", provider.StateRunning, "later"))
			row := s.View().Row("a").Status
			if seq := s.View().Seq(); row.State == provider.StateRunning && seq == 0 {
				t.Error("the state was shown before its event was committed")
			}
			synctest.Wait()
			if got := s.View().Row("a").Status.Detail; got != "later" {
				t.Errorf("the last row is %q, want the later one", got)
			}
		})
	})
	t.Run("IgnoresUnknownID", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := configured(t, newPath(t), store.Options{}, "a")
			s.Put(change("removed", provider.StateRunning, ""))
			synctest.Wait()
			if view := s.View(); view.Seq() != 0 || view.Row("removed") != nil {
				t.Errorf("a result of a removed provider was kept: seq %d", view.Seq())
			}
		})
	})
	t.Run("WhatCannotBeEncodedBlocksNobody", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := configured(t, newPath(t), store.Options{}, "a")
			bad := change("a", provider.StateError, "")
			bad.Event.LatencyMS = math.NaN()
			s.Put(bad)
			s.Put(change("a", provider.StateRunning, "good"))
			synctest.Wait()
			if got := s.View().Row("a").Status.Detail; got != "good" {
				t.Errorf("the row is %q, want the good one", got)
			}
		})
	})
}

func TestStore_GroupCommit(t *testing.T) {
	t.Run("ALoneChangeCommitsAtOnce", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := configured(t, newPath(t), store.Options{}, "a")
			synctest.Wait()
			time.Sleep(time.Minute)
			began := time.Now()
			seen := s.NextEvents()
			s.Put(change("a", provider.StateRunning, ""))
			<-seen
			if took := time.Since(began); took != 0 {
				t.Errorf("it waited %v", took)
			}
		})
	})
	t.Run("AServerThatFailsEverySecondIsSeenAtOnce", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := configured(t, newPath(t), store.Options{}, "a")
			synctest.Wait()
			time.Sleep(time.Minute)
			for i := range 100 {
				for _, state := range []provider.State{provider.StateStopped, provider.StateRunning} {
					s.Put(change("a", state, ""))
					if synctest.Wait(); s.View().Row("a").Status.State != state {
						t.Fatalf("round %d: %s is not seen at once", i, state)
					}
					time.Sleep(500 * time.Millisecond)
				}
			}
		})
	})
	t.Run("AStormCostsOneCommitASecond", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const seconds = 20
			names := ids(300)
			s := configured(t, newPath(t), store.Options{}, names...)
			synctest.Wait()
			for range 100 * 4 { // it has lasted for a while
				s.Put(change(names[0], provider.StateRunning, ""))
				time.Sleep(time.Second / 4)
			}
			before, past := s.Stats().Commits, s.View().Seq()
			for range seconds * 10 {
				for i := range 30 {
					s.Put(change(names[i*10], provider.StateRunning, ""))
				}
				time.Sleep(100 * time.Millisecond)
			}
			synctest.Wait()
			commits := s.Stats().Commits - before
			if commits > seconds+1 || commits < seconds-1 {
				t.Errorf("%d seconds of storm cost %d commits", seconds, commits)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			if got := s.View().Seq(); got < past+seconds*10*30 {
				t.Errorf("%d events of %d arrived", got-past, seconds*10*30)
			}
		})
	})
	t.Run("UnchangedRowsRideAlongOnceAMinute", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			path := newPath(t)
			s := configured(t, path, store.Options{}, "a", "b")
			synctest.Wait() // the first commit has carried what there was
			s.Put(result("b", provider.StateRunning, "unchanged"))
			s.Put(change("a", provider.StateRunning, "1"))
			synctest.Wait()
			if got := open(t, copyOf(t, path), store.Options{}).Restored()["b"].Detail; got != "" {
				t.Errorf("within the minute the row was written: %q", got)
			}
			time.Sleep(time.Minute)
			s.Put(change("a", provider.StateStopped, "2"))
			synctest.Wait()
			if got := open(t, copyOf(t, path), store.Options{}).Restored()["b"].Detail; got != "unchanged" {
				t.Errorf("after the minute the row on the disk is %q", got)
			}
		})
	})
	t.Run("EveryEventOfAGroupIsKeptInOrder", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := configured(t, newPath(t), store.Options{}, "a", "b")
			for i := range 100 {
				s.Put(change([]string{"a", "b"}[i%2], provider.StateRunning, fmt.Sprint(i)))
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			events := mustEvents(t, s, 0, 0)
			if len(events) != 100 {
				t.Fatalf("%d events of 100", len(events))
			}
			for i, e := range events {
				if e.Seq != uint64(i+1) || e.Detail != fmt.Sprint(i) {
					t.Fatalf("event %d is seq %d, %q", i, e.Seq, e.Detail)
				}
			}
			if a, b := s.View().Row("a").Status.Detail, s.View().Row("b").Status.Detail; a != "98" || b != "99" {
				t.Errorf("the last rows are %s and %s", a, b)
			}
		})
	})
}

func TestStore_Close(t *testing.T) {
	t.Run("SavesWhatIsPendingAndUnchangedRows", func(t *testing.T) {
		path := newPath(t)
		s := configured(t, path, store.Options{}, "a", "b")
		for i := range 50 { // more than the burst
			s.Put(change("a", provider.StateRunning, fmt.Sprint(i)))
		}
		s.Put(result("b", provider.StateStopped, "unchanged"))
		s = reopen(t, s, path, store.Options{})
		if got := len(mustEvents(t, s, 0, 0)); got != 50 {
			t.Errorf("%d events of 50", got)
		}
		rows := s.Restored()
		if rows["a"].Detail != "49" || rows["b"].Detail != "unchanged" {
			t.Errorf("restored %q and %q", rows["a"].Detail, rows["b"].Detail)
		}
	})
	t.Run("TwiceAndThenReadsStillAnswer", func(t *testing.T) {
		s := configured(t, newPath(t), store.Options{}, "a")
		next := s.NextEvents()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s.Put(change("a", provider.StateRunning, "")) // must neither panic nor appear
		if !isClosed(next) || s.View().Row("a").Status.State != provider.StateUnknown {
			t.Error("followers were not woken, or a row changed after Close")
		}
	})
}

func TestRow(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	row := func(t *testing.T, edit func(*provider.Status)) *store.Row {
		s := open(t, newPath(t), store.Options{})
		u := result("a", provider.StateRunning, "")
		u.Status.CheckedAt, u.Status.TTLMS = provider.Time{Time: now}, 1000
		edit(&u.Status)
		s.Configure([]string{"a"}, map[string]store.Update{"a": u})
		return s.View().Row("a")
	}
	for _, c := range []struct {
		name string
		edit func(*provider.Status)
		at   time.Time
		age  time.Duration
		old  bool
		json string // how it ends
	}{
		{"Fresh", func(*provider.Status) {}, now.Add(time.Second), time.Second, false, `,"age_ms":1000,"stale":false}`},
		{"OlderThanTTL", func(*provider.Status) {}, now.Add(1001 * time.Millisecond), 1001 * time.Millisecond, true, `,"age_ms":1001,"stale":true}`},
		{"NeverChecked", func(s *provider.Status) { s.CheckedAt = provider.Time{} }, now, 0, true, `"source":"probe","stale":true}`},
		{"Restored", func(s *provider.Status) { s.Source = provider.FromRestored }, now, 0, true, `,"age_ms":0,"stale":true}`},
		{"ClockWentBack", func(*provider.Status) {}, now.Add(-time.Hour), 0, false, `,"age_ms":0,"stale":false}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := row(t, c.edit)
			if r.Age(c.at) != c.age || r.Stale(c.at) != c.old {
				t.Errorf("age %v, stale %v; want %v, %v", r.Age(c.at), r.Stale(c.at), c.age, c.old)
			}
			text := r.AppendJSON([]byte("before"), c.at)
			if got := string(text); got[:6] != "before" || got[len(got)-len(c.json):] != c.json {
				t.Errorf("got %s, want it to end in %s", got, c.json)
			}
			var back provider.Status
			if err := json.Unmarshal(text[6:], &back); err != nil || back.ID != "a" || back.Stale != c.old {
				t.Errorf("it does not read back: %v, %+v", err, back)
			}
		})
	}
}

func TestStore_NextGeneration(t *testing.T) {
	t.Run("BeginsWithOne", func(t *testing.T) {
		s := open(t, newPath(t), store.Options{})
		if got := s.Generation(); got != 0 {
			t.Errorf("before any refresh it is %d", got)
		}
		if got := s.NextGeneration(); got != 1 || s.Generation() != 1 {
			t.Errorf("the first is %d, and %d is reported", got, s.Generation())
		}
	})
	t.Run("NeverGoesBackAcrossACrash", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			path, last := newPath(t), uint64(0)
			for range 5 {
				s := open(t, path, store.Options{})
				for i := range 100_000 {
					n := s.NextGeneration()
					if n <= last {
						t.Fatalf("after %d came %d", last, n)
					}
					last = n
					if i%20_000 == 0 { // a committer has some time for 20,000 refreshes
						time.Sleep(time.Second)
						synctest.Wait()
					}
				}
				synctest.Wait()
				path = copyOf(t, path)
			}
		})
	})
}
