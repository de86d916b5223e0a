package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

// A commit whose sync failed counts as failed, and may be in the file. Written again together
// with what came since, its hours and changes are there once.
func TestBatch_IsWrittenOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.db")
	if err := create(path, new(whole)); err != nil {
		t.Fatal(err)
	}
	var l ledger
	l.resume(new(past))
	now := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	l.configure([]*Row{{Status: provider.Status{ID: "a", State: provider.StateUnknown}}}, now, now)
	l.watch(now, Watched{Wall: now})
	hour := func(state provider.State) {
		l.put(&provider.Status{ID: "a", State: state, Reason: provider.OK}, nil, now)
		now = now.Add(time.Hour)
		l.watch(now, Watched{Wall: now, Seen: time.Hour})
	}
	err := onFile(path, func(db *bolt.DB, _ *os.File) error {
		apply := func(a *account) error {
			return db.Update(func(tx *bolt.Tx) error {
				h, err := readHead(tx)
				return errors.Join(err, a.apply(tx, h), h.write(tx))
			})
		}
		hour(provider.StateRunning)
		failed := l.take(false, false, now)
		if err := apply(failed); err != nil {
			return err
		}
		l.finish(failed, errors.New("the sync failed"))
		hour(provider.StateStopped)
		again := l.take(false, false, now)
		err := apply(again)
		l.finish(again, nil)
		return errors.Join(err, db.View(func(tx *bolt.Tx) error {
			for i, state := range []provider.State{provider.StateRunning, provider.StateStopped} {
				at := now.Add(time.Duration(i-2) * time.Hour)
				if b, ok := bucketAt(tx.Bucket(hourBucket()), hourBucket(), pairKey(seconds(at), 1)); !ok || b.In(state) != rollup.Hour {
					t.Errorf("hour %d: %+v", i, b)
				}
			}
			if _, list := lastChanges(tx.Bucket(changeBucket()), 1); len(list) != 3 {
				t.Errorf("changes: %+v", list)
			}
			return nil
		}))
	})
	if err != nil {
		t.Fatal(err)
	}
	if l.due() {
		t.Error("something still waits")
	}
}
