package store

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A commit that does not end is reported. Close does not wait for it, and says what is lost if
// it never ends.
func TestStore_HangingDisk(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "providerd.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Configure([]string{"a", "b"}, nil)
	until(s, func() bool { return s.inFlight == nil && s.pending.empty() })
	put := func(id, detail string) {
		s.Put(Update{
			Status: provider.Status{ID: id, State: provider.StateRunning, Detail: detail},
			Event:  &provider.Event{ID: id, To: provider.StateRunning},
		})
	}
	if got := s.Stats(); got.Hanging != "" {
		t.Errorf("nothing is under way, and %q hangs", got.Hanging)
	}
	s.disk.Lock() // a commit gets no further than its start
	put("a", "1")
	until(s, func() bool { return s.inFlight != nil })
	put("a", "2")
	put("b", "1")
	for {
		got := s.Stats()
		if got.HangingFor < 20*time.Millisecond {
			continue
		}
		if got.Hanging != "a commit to "+s.path || got.Waiting != 3 {
			t.Errorf("%q hangs for %s, and %d wait", got.Hanging, got.HangingFor, got.Waiting)
		}
		break
	}

	err = s.CloseWithin(10 * time.Millisecond)
	const lost = `has not ended for [0-9.ms]+: the disk does not answer; not saved: 3 events and 2 changed rows`
	if err == nil || !strings.HasPrefix(err.Error(), "a commit to "+s.path) || !regexp.MustCompile(lost).MatchString(err.Error()) {
		t.Errorf("close says %v", err)
	}
	if _, err := Open(s.path, Options{}); err == nil {
		t.Error("another can write while a commit is under way")
	}

	s.disk.Unlock() // the disk answers: what was under way ends, and so does the rest
	var again *Store
	for again == nil {
		again, _ = Open(s.path, Options{})
	}
	if events, err := again.Events(0, 0); err != nil || len(events) != 3 {
		t.Errorf("%d events, %v", len(events), err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
