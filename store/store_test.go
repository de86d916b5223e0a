package store_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	bolt "go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

func TestMain(m *testing.M) {
	// Each check syncs a disk dozens of times; -rapid.checks sets more.
	if err := flag.Set("rapid.checks", "6"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// newPath is the path for a test's database.
func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "providerd.db") }

// open opens a store. At the end of the test it is closed and its file checked. Its numbers
// begin with 1, which is easier to read.
func open(t testing.TB, path string, o store.Options) *store.Store {
	t.Helper()
	if o.First == 0 {
		o.First = 1
	}
	s, err := store.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		mustBeSound(t, path)
	})
	return s
}

// reopen closes a store and opens its file again.
func reopen(t testing.TB, s *store.Store, path string, o store.Options) *store.Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	return open(t, path, o)
}

// mustBeSound runs bbolt's own check over a closed file.
func mustBeSound(t testing.TB, path string) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, PreLoadFreelist: true, Timeout: time.Minute})
	if err != nil {
		t.Errorf("open %s to check it: %v", path, err)
		return
	}
	defer db.Close()
	err = db.View(func(tx *bolt.Tx) error {
		var wrong []error
		for err := range tx.Check() {
			wrong = append(wrong, err)
		}
		return errors.Join(wrong...)
	})
	if err != nil {
		t.Errorf("check %s: %v", path, err)
	}
}

// copyOf copies a database that nobody is writing, as a crash would leave it.
func copyOf(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copied := newPath(t)
	if err := os.WriteFile(copied, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return copied
}

// result is an update without an event.
func result(id string, state provider.State, detail string) store.Update {
	return store.Update{Status: provider.Status{
		ID: id, Kind: "ollama", Type: provider.Local, State: state, Reason: provider.OK,
		Detail: detail, CheckedAt: provider.Time{Time: time.Now()}, TTLMS: 11_500, Source: provider.FromProbe,
	}}
}

// change is an update with an event.
func change(id string, state provider.State, detail string) store.Update {
	u := result(id, state, detail)
	u.Event = &provider.Event{
		Time: provider.Time{Time: time.Now()}, ID: id,
		From: provider.StateUnknown, To: state, Reason: provider.OK, Detail: detail,
	}
	return u
}

// configured returns a store that knows the ids.
func configured(t testing.TB, path string, o store.Options, ids ...string) *store.Store {
	t.Helper()
	s := open(t, path, o)
	s.Configure(ids, nil)
	return s
}

// A database that was written with another clock is read with this one, which is logged once.
func TestOpen_BoundsTimes(t *testing.T) {
	path := newPath(t)
	s := configured(t, path, store.Options{}, "a", "b")
	s.Put(change("a", provider.StateRunning, ""))
	s.Put(change("b", provider.StateRunning, ""))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	then := time.Now().AddDate(-10, 0, 0)
	var log bytes.Buffer
	s = open(t, path, store.Options{Now: func() time.Time { return then }, Log: hclog.New(&hclog.LoggerOptions{Output: &log})})
	for id, st := range s.Restored() {
		if st.CheckedAt.After(then) || s.View().Row(id).Status.CheckedAt.After(then) {
			t.Errorf("%s was checked at %s", id, st.CheckedAt)
		}
	}
	if n := strings.Count(log.String(), "clock was fast then, or is slow now: by=876"); n != 1 {
		t.Errorf("said %d times: %s", n, log.String())
	}
}

// ids are n names: p0, p1, …
func ids(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("p%d", i)
	}
	return list
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

func mustEvents(t testing.TB, s *store.Store, since uint64, limit int) []provider.Event {
	t.Helper()
	events, err := s.Events(since, limit)
	if err != nil {
		t.Fatalf("events since %d: %v", since, err)
	}
	return events
}

// mustWork checks that a store accepts a change.
func mustWork(t testing.TB, s *store.Store) {
	t.Helper()
	s.Configure([]string{"new"}, nil)
	next := s.NextEvents()
	s.Put(change("new", provider.StateRunning, ""))
	<-next
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if got := s.View().Row("new").Status.State; got != provider.StateRunning {
		t.Errorf("the change is not there: %s", got)
	}
}

// edit changes a closed database behind the store's back.
func edit(t testing.TB, path string, fn func(*bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(fn), db.Close()); err != nil {
		t.Fatal(err)
	}
}
