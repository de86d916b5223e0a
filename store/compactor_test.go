package store

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

func TestCompactor_WhenItBegins(t *testing.T) {
	now := time.Now()
	c := compactor{from: 100}
	for _, tc := range []struct {
		size, used int64
		want       bool
	}{{100, 49, true}, {100, 50, false}, {101, 50, true}, {99, 1, false}, {1000, 0, false}} {
		if got := c.isWorthwhile(tc.size, tc.used); got != tc.want {
			t.Errorf("%d bytes, %d of them in use: %t", tc.size, tc.used, got)
		}
	}
	for _, tc := range []struct {
		name              string
		after             time.Duration
		worthwhile, quiet bool
		want              bool
	}{
		{"NotWorthwhile", 0, false, true, false},
		{"InABurst", 0, true, false, false},
		{"StillInABurst", 9 * time.Minute, true, false, false},
		{"NoLongerWorthwhile", 9 * time.Minute, false, false, false},
		{"InABurstAgain", 11 * time.Minute, true, false, false},
		{"TheBurstNeverEnds", 21 * time.Minute, true, false, true},
		{"Quiet", 30 * time.Minute, true, true, true},
	} {
		if got := c.begins(now.Add(tc.after), tc.worthwhile, tc.quiet); got != tc.want {
			t.Errorf("%s: %t", tc.name, got)
		}
	}
	c.ended(now, nil)
	if c.begins(now.Add(59*time.Minute), true, true) || !c.begins(now.Add(time.Hour), true, true) {
		t.Error("it does not wait for an hour")
	}
	full := errors.New("full")
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 32} {
		if isNew := c.ended(now, full); isNew != (i == 0) || c.next.Sub(now) != want*time.Hour {
			t.Errorf("failure %d is new: %t; again in %s", i+1, isNew, c.next.Sub(now))
		}
	}
	if !c.ended(now, errors.New("another")) || c.ended(now, nil) || !c.ended(now, full) || c.next.Sub(now) != time.Hour {
		t.Error("a success does not end a series of failures")
	}
}

// A read that began before the file was replaced continues in the old file. The one that
// begins after it is in the new one, even through the old one's methods, and the old file is
// closed when nobody reads it any more.
func TestFile_GivesWay(t *testing.T) {
	dir := t.TempDir()
	made := func(name string) *file {
		f, err := build(filepath.Join(dir, name), &whole{newest: 5})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	old, next := made("old"), made("next")
	begun, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	in := func(f *file, tx *bolt.Tx) bool {
		return tx.DB() == f.db && tx.Bucket(metaBucket()).Get(headKey()) != nil
	}
	go func() {
		ended <- old.view(func(tx *bolt.Tx) error {
			close(begun)
			<-goOn
			if !in(old, tx) {
				return errors.New("it is not in the old file")
			}
			return nil
		})
	}()
	<-begun
	old.giveWay(next)
	if err := old.view(func(tx *bolt.Tx) error {
		if !in(next, tx) {
			return errors.New("it is not in the new file")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if old.closed.Load() {
		t.Error("it is closed under its reader")
	}
	close(goOn)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !old.closed.Load() {
		t.Error("it stays open")
	}
	if err := next.close(); err != nil {
		t.Error(err)
	}
}
