package store

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/provider"
)

// A whole is all that goes into a new database file.
type whole struct {
	rows       iter.Seq[*Row]
	events     []provider.Event // in order; gaps stay gaps
	first      uint64           // seq of the oldest that there should be; 0: as there is
	newest     uint64           // the newest seq ever given
	generation uint64           // those up to here may have been handed out
	copied     bool             // it is a backup, and is still to be numbered anew
	id         uint64           // of the file, which fill sets
}

// fill writes it into an empty file.
func (w *whole) fill(tx *bolt.Tx) error {
	if err := lay(tx); err != nil {
		return err
	}
	w.id = rand.Uint64()
	h := &head{ID: w.id, Generation: w.generation, Oldest: w.oldest(), Newest: w.newest, Copy: w.copied}
	if w.rows != nil {
		for row := range w.rows {
			id, value := []byte(row.Status.ID), encodeRow(row)
			h.Rows.toggle(id, storedSum(value))
			if err := tx.Bucket(rowsBucket()).Put(id, value); err != nil {
				return fmt.Errorf("write the row of %s: %w", id, err)
			}
		}
	}
	events := tx.Bucket(eventsBucket())
	events.FillPercent = 0.95 // seqs only grow
	for i := range w.events {
		key, value, err := encodeEvent(&w.events[i])
		if err != nil {
			return err
		}
		if err := events.Put(key, value); err != nil {
			return fmt.Errorf("write event %d: %w", w.events[i].Seq, err)
		}
	}
	return h.write(tx)
}

// oldest is the seq of the first event that is kept, or a gap; newest+1 for none.
func (w *whole) oldest() uint64 {
	switch {
	case w.first > 0:
		return w.first
	case len(w.events) > 0:
		return w.events[0].Seq
	}
	return w.newest + 1
}

// newPath is where a file is made before it takes its place.
func newPath(path string) string { return path + ".new" }

// build makes a database file beside path and leaves it open. It is on the disk
// when build returns, so that a file at path is never half made; [settle] moves it.
func build(path string, w *whole) (_ *file, err error) {
	temporary := newPath(path)
	// What a making that was killed has left behind.
	if err := removeAny(temporary); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // again, in case bbolt did not
			_ = os.Remove(temporary)
		}
	}()
	var db *bolt.DB
	err = guard(func() (err error) {
		if db, err = bolt.Open(temporary, 0o600, boltOptions(f)); err != nil {
			return err
		}
		db.AllocSize = growBy
		// Twice, so that both of bbolt's meta pages lead to it.
		return errors.Join(db.Update(w.fill), db.Update(rewriting(func(*head) {})), f.Sync())
	})
	if err != nil {
		if db != nil {
			closeAfter(db, err)
		}
		return nil, err
	}
	return newFile(db, f, w.id)
}

// settle moves what build has made to its place, where nothing is, or what it was made
// of.
func settle(path string) error {
	if err := os.Rename(newPath(path), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// setAside gives what is at path a name of its own, and returns it. Nothing that
// has such a name already is touched.
func setAside(path, why string, now time.Time) (string, error) {
	stamped := path + "." + why + "-" + now.UTC().Format("20060102T150405Z")
	aside := stamped
	for n := 2; ; n++ {
		_, err := os.Lstat(aside)
		if errors.Is(err, os.ErrNotExist) {
			break
		}
		if err != nil {
			return "", err
		}
		aside = fmt.Sprintf("%s-%d", stamped, n)
	}
	if err := os.Rename(path, aside); err != nil {
		return "", err
	}
	return aside, syncFolder(filepath.Dir(path))
}

// Why something at the path was set aside.
const (
	corrupt   = "corrupt"   // it is ours, and damaged
	displaced = "displaced" // it is not ours, and was put in the place of the open file
)
