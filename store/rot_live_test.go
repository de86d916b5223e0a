package store_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// The database of a killed daemon has its last commit in only one of bbolt's two meta pages.
// If that page is damaged, bbolt continues with the commit before as if nothing were missing.
func TestOpen_KilledAndAMetaPageIsDamaged(t *testing.T) {
	path := newPath(t)
	s := configured(t, path, store.Options{}, "a", "b", "c")
	paused := change("b", provider.StateRunning, "paused")
	paused.Status.Paused = true
	for _, u := range []store.Update{paused, change("c", provider.StateRunning, "before"), change("a", provider.StateError, "last")} {
		next := s.NextEvents()
		s.Put(u)
		<-next
	}
	newest, generation := s.View().Seq(), s.NextGeneration()
	image := mustRead(t, path)
	for i := range 2 {
		damaged := bytes.Clone(image)
		damaged[i*os.Getpagesize()+50] ^= 4
		killed := newPath(t)
		if err := os.WriteFile(killed, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		r := open(t, killed, store.Options{Log: hclog.New(&hclog.LoggerOptions{Output: &log})})
		if got := r.NextGeneration(); got <= generation {
			t.Errorf("page %d: generation %d after %d", i, got, generation)
		}
		for _, since := range []uint64{newest - 1, newest} {
			if _, err := r.Events(since, 0); !isGone(err) {
				t.Errorf("page %d: resumed from %d: %v", i, since, err)
			}
		}
		rows := r.Restored()
		if st := rows["b"]; len(rows) != 1 || !st.Paused || st.State != provider.StateUnknown || st.Detail != "" {
			t.Errorf("page %d: of what may be older there is: %+v", i, rows)
		}
		if !strings.Contains(log.String(), "meta pages is damaged") {
			t.Errorf("page %d: said: %s", i, log.String())
		}
		if n := r.View().Seq(); n <= newest {
			t.Errorf("page %d: the newest event is %d, and was %d", i, n, newest)
		}
		mustWork(t, r)
	}
}

// Damage to a running daemon's file is noticed by readers of the disk.
func TestStore_EventsThatRotWhileItRuns(t *testing.T) {
	path := newPath(t)
	var log bytes.Buffer
	s := withEvents(t, path, store.Options{KeepEvents: 3000, Log: hclog.New(&hclog.LoggerOptions{Output: &log})}, 3000)
	image := mustRead(t, path)
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	flip := func(detail string) {
		t.Helper()
		at := bytes.Index(image, []byte(`"detail":"`+detail+`"`))
		if at < 0 {
			t.Fatal("no such event")
		}
		if _, err := file.WriteAt([]byte{image[at+10] ^ 1}, int64(at+10)); err != nil {
			t.Fatal(err)
		}
	}
	flip("700")
	flip("701")
	// The first reader is told to ask again: a new file is being written.
	var failing *provider.Error
	if _, err := s.Events(600, 0); !errors.As(err, &failing) || failing.Code != provider.StoreFailing {
		t.Errorf("met first: %v", err)
	}
	if err := s.SyncBarrier(t.Context()); err != nil {
		t.Fatal(err)
	}
	if events := mustEvents(t, s, 600, 0); len(events) != 99 || events[98].Seq != 699 {
		t.Errorf("before the gap are %d", len(events))
	}
	for range 2 {
		_, err := s.Events(699, 0)
		var gap *store.GapError
		if !errors.As(err, &gap) || !isGone(err) || gap.First != 700 || gap.Last != 701 {
			t.Errorf("at the gap: %v", err)
		}
	}
	if events := mustEvents(t, s, 701, 3); len(events) != 3 || events[0].Seq != 702 {
		t.Errorf("behind the gap: %v", events)
	}
	past, err := s.EventsOf("a")
	if err != nil || len(past.Events) != 1499 || len(past.Gaps) != 1 || past.Gaps[0].First != 700 {
		t.Errorf("%d events of a, gaps %v (%v)", len(past.Events), past.Gaps, err)
	}
	if _, err := s.Events(700, 0); !isGone(err) {
		t.Errorf("in the gap: %v", err)
	}
	if n := strings.Count(log.String(), "events 700 to 701"); n != 1 || strings.Count(log.String(), "readers get an error there") != 1 {
		t.Errorf("the gap was logged %d times: %s", n, log.String())
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
