package store

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// A result that arrives while a change of its provider is being committed must be shown after
// that change: earlier, it would show a state that a crash could take back; never, it would
// leave the older row in view.
func TestStore_Put_UnchangedDuringTheCommitOfAChange(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "providerd.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Configure([]string{"a"}, nil)
	until(s, func() bool { return s.inFlight == nil && s.pending.empty() }) // that is committed
	running := Update{Status: provider.Status{ID: "a", State: provider.StateRunning, Detail: "changed"}}
	running.Event = &provider.Event{ID: "a", To: provider.StateRunning}

	committed := s.NextEvents()
	s.disk.Lock() // the commit gets no further than its start
	s.Put(running)
	until(s, func() bool { return s.inFlight != nil })
	running.Event, running.Status.Detail = nil, "later"
	s.Put(running)
	if row := s.View().Row("a").Status; row.State != provider.StateUnknown {
		t.Errorf("shown before it is on the disk: %s %q", row.State, row.Detail)
	}
	if got := s.Stats().Waiting; got != 1 {
		t.Errorf("%d events wait, want 1", got)
	}
	commits := s.Stats().Commits
	s.disk.Unlock()
	<-committed
	if got := s.View().Row("a").Status.Detail; got != "later" {
		t.Errorf("the newest row is %q", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// The change, and at Close the row that was behind it.
	if got := s.Stats().Commits - commits; got > 2 {
		t.Errorf("it took %d commits", got)
	}
}

// until returns when the condition, asked under mu, holds.
func until(s *Store, holds func() bool) {
	for {
		s.mu.Lock()
		done := holds()
		s.mu.Unlock()
		if done {
			return
		}
		runtime.Gosched()
	}
}
