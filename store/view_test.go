package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

func idsOf(v store.View) []string {
	var list []string
	for i := range v.Len() {
		list = append(list, v.At(i).Status.ID)
	}
	return list
}

func TestStore_Configure(t *testing.T) {
	t.Run("SetsTheOrder", func(t *testing.T) {
		s := configured(t, newPath(t), store.Options{}, "b", "a", "b", "")
		if got := idsOf(s.View()); !slices.Equal(got, []string{"b", "a"}) {
			t.Errorf("got %v", got)
		}
		s.Configure([]string{"a", "c", "b"}, nil)
		if got := idsOf(s.View()); !slices.Equal(got, []string{"a", "c", "b"}) {
			t.Errorf("got %v", got)
		}
		if row := s.View().Row("c").Status; row.State != provider.StateUnknown || row.Reason != provider.NotChecked {
			t.Errorf("a row nobody gave is %s, %s", row.State, row.Reason)
		}
	})
	t.Run("OtherRowsKeepWhatIsKnownAndPending", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := configured(t, newPath(t), store.Options{}, "a", "b")
			s.Put(result("a", provider.StateRunning, "known"))
			s.Put(change("b", provider.StateRunning, "pending"))
			s.Configure([]string{"b", "a"}, nil)
			synctest.Wait()
			if a, b := s.View().Row("a").Status.Detail, s.View().Row("b").Status.Detail; a != "known" || b != "pending" {
				t.Errorf("a is %q, b is %q", a, b)
			}
		})
	})
	t.Run("FreshRowsTakeThePlaceOfPendingOnes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			path := newPath(t)
			s := configured(t, path, store.Options{}, "a")
			synctest.Wait()
			for range 9 { // use up the burst, so that the next one has to wait
				s.Put(change("a", provider.StateRunning, "before"))
				synctest.Wait()
			}
			seq, changed := s.View().Seq(), s.Changed("a")
			s.Put(change("a", provider.StateError, "pending"))
			s.Put(result("a", provider.StateError, "pending"))
			s.Configure([]string{"a"}, map[string]store.Update{"a": change("a", provider.StateUnknown, "fresh")})
			if got := s.View().Row("a").Status.Detail; got != "fresh" {
				t.Errorf("the row is %q at once, want fresh", got)
			}
			if !isClosed(changed) {
				t.Error("who waited for the old row was not woken")
			}
			s = reopen(t, s, path, store.Options{})
			if got := s.Restored()["a"].Detail; got != "fresh" {
				t.Errorf("the row on the disk is %q", got)
			}
			var said []string
			for _, e := range mustEvents(t, s, seq, 0) {
				said = append(said, e.Detail)
			}
			if n := len(said); n < 2 || !slices.Equal(said[n-2:], []string{"pending", "fresh"}) {
				t.Errorf("events %q: what happened is told, in its order", said)
			}
		})
	})
	t.Run("RemovedRowsVanishFromTheDisk", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			path := newPath(t)
			s := configured(t, path, store.Options{}, "a", "b")
			s.Put(change("b", provider.StateRunning, ""))
			synctest.Wait()
			changed := s.Changed("b")
			s.Configure([]string{"a"}, nil)
			if !isClosed(changed) || !isClosed(s.Changed("b")) {
				t.Error("who waits for a removed provider waits for ever")
			}
			if s.View().Row("b") != nil {
				t.Error("it is still in view")
			}
			synctest.Wait()
			crashed := open(t, copyOf(t, path), store.Options{})
			if _, ok := crashed.Restored()["b"]; ok {
				t.Error("it is still on the disk")
			}
			if got := mustEvents(t, crashed, 0, 0); len(got) != 1 {
				t.Errorf("its events are gone: %v", got)
			}
		})
	})
	t.Run("TheLastEventOfARemovedProvider", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			path := newPath(t)
			s := configured(t, path, store.Options{}, "a", "b")
			s.Configure([]string{"a"}, map[string]store.Update{
				"b":     change("b", provider.StateUnknown, "removed"),
				"never": change("never", provider.StateUnknown, "was never there"),
			})
			synctest.Wait()
			if got := mustEvents(t, s, 0, 0); len(got) != 1 || got[0].Detail != "removed" {
				t.Errorf("events %+v", got)
			}
			if s.View().Row("b") != nil || s.View().Row("never") != nil {
				t.Error("it has a row")
			}
		})
	})
	t.Run("ComesBackInOneCommit", func(t *testing.T) {
		path := newPath(t)
		s := configured(t, path, store.Options{}, "a")
		s.Configure(nil, nil)
		s.Configure([]string{"a"}, map[string]store.Update{"a": result("a", provider.StateUnknown, "back")})
		s = reopen(t, s, path, store.Options{})
		if got := s.Restored()["a"].Detail; got != "back" {
			t.Errorf("restored %q", got)
		}
	})
	t.Run("AFreshEventFollowsWithTheCommit", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, newPath(t), store.Options{})
			s.Configure([]string{"a"}, map[string]store.Update{"a": change("a", provider.StateUnknown, "new")})
			if s.View().Row("a") == nil {
				t.Error("the row is not in view at once")
			}
			synctest.Wait()
			if got := mustEvents(t, s, 0, 0); len(got) != 1 || got[0].Detail != "new" {
				t.Errorf("events: %v", got)
			}
		})
	})
}

func TestStore_View_AnswersFromYesterdaysFile(t *testing.T) {
	path := newPath(t)
	s := configured(t, path, store.Options{}, "b", "a")
	s.Put(change("a", provider.StateRunning, "yesterday"))
	s = reopen(t, s, path, store.Options{})
	s.Configure([]string{"b", "a"}, nil)
	row := s.View().Row("a")
	if row == nil || row.Status.Detail != "yesterday" || row.Status.Source != provider.FromRestored || !row.Stale(row.Status.CheckedAt.Time) {
		t.Errorf("the first read gives %+v", row)
	}
	if s.View().Seq() != 1 {
		t.Errorf("seq %d, want 1", s.View().Seq())
	}
}

// For the race detector: everything at once, while readers check that what they see never
// goes back.
func TestStore_ReadsBesideWriters(t *testing.T) {
	names := ids(20)
	s := configured(t, newPath(t), store.Options{KeepEvents: 200}, names...)
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			seq := uint64(0)
			for !isClosed(stop) {
				v := s.View()
				if v.Seq() < seq {
					t.Errorf("seq went back from %d to %d", seq, v.Seq())
					return
				}
				seq = v.Seq()
				for i := range v.Len() {
					v.At(i).AppendJSON(nil, v.At(i).Status.CheckedAt.Time)
				}
				s.Changed("p3")
				s.Stats()
				_, _ = s.Events(max(seq, 50)-50, 0) // trimmed under its feet at times
				if _, err := s.EventsOf("p3"); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for w := range 3 {
		writers.Go(func() {
			for i := range 300 {
				id := names[(i+w)%len(names)]
				if i%3 == 0 {
					s.Put(change(id, provider.StateRunning, fmt.Sprint(i)))
				} else {
					s.Put(result(id, provider.StateRunning, fmt.Sprint(i)))
				}
				s.NextGeneration()
			}
		})
	}
	writers.Go(func() {
		for i := range 30 {
			s.Configure(names[i%5:], map[string]store.Update{"p7": result("p7", provider.StateUnknown, "")})
			if err := s.Check(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	writers.Wait()
	close(stop)
	readers.Wait()
}
