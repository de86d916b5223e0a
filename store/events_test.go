package store_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// withEvents returns a store that holds n events of a and b in turn.
func withEvents(t testing.TB, path string, o store.Options, n int) *store.Store {
	t.Helper()
	s := configured(t, path, o, "a", "b")
	for i := range n {
		s.Put(change([]string{"a", "b"}[i%2], provider.StateRunning, fmt.Sprint(i+1)))
	}
	return reopen(t, s, path, o)
}

func TestStore_Events(t *testing.T) {
	const all, kept = 3000, 2500
	s := withEvents(t, newPath(t), store.Options{KeepEvents: kept}, all)
	for _, c := range []struct {
		name        string
		since       uint64
		limit       int
		first, last uint64 // seq; 0: none
	}{
		{"FromTheOldest", 0, 0, all - kept + 1, all},
		{"FromTheOldestLimited", 0, 10, all - kept + 1, all - kept + 10},
		{"FromTheDisk", 600, 5, 601, 605},
		{"AcrossDiskAndMemory", 600, 0, 601, all},
		{"FromMemory", all - 3, 0, all - 2, all},
		{"FromMemoryLimited", all - 3, 2, all - 2, all - 1},
		{"OldestThatIsKept", all - kept, 1, all - kept + 1, all - kept + 1},
		{"NoneYet", all, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			events := mustEvents(t, s, c.since, c.limit)
			want := c.last - c.first + 1
			if c.first == 0 {
				want = 0
			}
			if uint64(len(events)) != want {
				t.Fatalf("%d events, want %d", len(events), want)
			}
			for i, e := range events {
				if seq := c.first + uint64(i); e.Seq != seq || e.Detail != fmt.Sprint(seq) {
					t.Fatalf("event %d is seq %d, %q; want %d", i, e.Seq, e.Detail, seq)
				}
			}
		})
	}
	for _, c := range []struct {
		name  string
		since uint64
		says  string
	}{
		{"Trimmed", all - kept - 1, "the oldest kept is 501, the newest 3000"},
		{"FromTheFuture", all + 1, "the newest is 3000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := s.Events(c.since, 0)
			var gone *provider.Error
			if !errors.As(err, &gone) || gone.Code != provider.EventsGone || gone.Hint == "" || !strings.Contains(gone.Message, c.says) {
				t.Errorf("got %#v, want events_gone that says %q", err, c.says)
			}
		})
	}
	t.Run("CallerMayChangeWhatItGot", func(t *testing.T) {
		mustEvents(t, s, all-1, 0)[0].Detail = "scribbled"
		if got := mustEvents(t, s, all-1, 0)[0].Detail; got != fmt.Sprint(all) {
			t.Errorf("another reader got %q", got)
		}
	})
}

func TestStore_EventsOf(t *testing.T) {
	s := withEvents(t, newPath(t), store.Options{KeepEvents: 1500}, 2000)
	s.Configure([]string{"b"}, nil) // the past of a stays
	past, err := s.EventsOf("a")
	if err != nil {
		t.Fatal(err)
	}
	events := past.Events
	if len(events) != 750 || events[0].Seq != 501 || events[749].Seq != 1999 {
		t.Fatalf("%d events, from %v", len(events), events[:1])
	}
	for i, e := range events {
		if e.ID != "a" || i > 0 && e.Seq != events[i-1].Seq+2 {
			t.Fatalf("event %d: %+v", i, e)
		}
	}
	if past, err := s.EventsOf("nobody"); err != nil || len(past.Events)+len(past.Gaps) != 0 {
		t.Errorf("of nobody: %v, %v", past, err)
	}
}

func TestStore_Retention(t *testing.T) {
	t.Run("KeepsTheFileSmall", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			path := newPath(t)
			s := configured(t, path, store.Options{KeepEvents: 500}, "a")
			detail := strings.Repeat("x", 1000)
			for range 20 { // 6,000 events of some 1,150 bytes: 7 MB, were they all kept
				for range 300 {
					s.Put(change("a", provider.StateRunning, detail))
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
			}
			if got := s.Stats(); got.Events != 500 || got.Bytes > 3<<20 {
				t.Errorf("%d events are kept in %d bytes", got.Events, got.Bytes)
			}
			info, err := os.Stat(path)
			if err != nil || info.Size() != s.Stats().Bytes {
				t.Errorf("the file has %d bytes, reported %d (%v)", info.Size(), s.Stats().Bytes, err)
			}
		})
	})
	t.Run("NeverReusesASeq", func(t *testing.T) {
		path := newPath(t)
		s := withEvents(t, path, store.Options{KeepEvents: 1}, 10)
		if got := s.View().Seq(); got != 10 {
			t.Fatalf("after a restart the newest is %d, want 10", got)
		}
		next := s.NextEvents()
		s.Put(change("a", provider.StateRunning, "11"))
		<-next
		events := mustEvents(t, s, 0, 0)
		if len(events) != 1 || events[0].Seq != 11 {
			t.Errorf("kept %v, want 11 alone", events)
		}
	})
	t.Run("AppliesToWhatAnEarlierSettingKept", func(t *testing.T) {
		path := newPath(t)
		s := withEvents(t, path, store.Options{}, 100)
		s = reopen(t, s, path, store.Options{KeepEvents: 10})
		next := s.NextEvents()
		s.Put(change("a", provider.StateRunning, "101"))
		<-next
		if events := mustEvents(t, s, 0, 0); len(events) != 10 || events[0].Seq != 92 {
			t.Errorf("%d are kept, from %d", len(events), events[0].Seq)
		}
	})
}

// A follower reads as clients do: get the channel, read what is there, wait.
func TestStore_NextEvents_FollowerMissesNothing(t *testing.T) {
	const all = 2000
	s := configured(t, newPath(t), store.Options{}, "a", "b", "c")
	done := make(chan error, 1)
	go func() {
		since := uint64(0)
		for since < all {
			next := s.NextEvents()
			events, err := s.Events(since, 7)
			if err != nil {
				done <- err
				return
			}
			for _, e := range events {
				if since++; e.Seq != since {
					done <- fmt.Errorf("after %d came %d", since-1, e.Seq)
					return
				}
				if row := s.View().Row(e.ID); s.View().Seq() < e.Seq || row.Status.State == provider.StateUnknown {
					done <- fmt.Errorf("event %d was shown before its row", e.Seq)
					return
				}
			}
			if len(events) == 0 {
				<-next
			}
		}
		done <- nil
	}()
	for i := range all {
		s.Put(change([]string{"a", "b", "c"}[i%3], provider.StateRunning, ""))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
