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

// A whole is the complete content of a new database file.
type whole struct {
	rows       iter.Seq[*Row]
	events     []provider.Event // in order; gaps stay gaps
	first      uint64           // seq of the oldest event that should be there; 0: the oldest in events
	newest     uint64           // the highest seq ever assigned
	generation uint64           // the highest that may have been handed out
	copied     bool             // a backup, which gets new numbers when it is opened
	history    *regain          // the file that has it; nil if there is none
	id         uint64           // of the file; set by fill
}

// fill writes the content into an empty file.
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

// copyHistory copies the history into a file, and returns a function that completes its head.
func (w *whole) copyHistory(db *bolt.DB) (complete func(*head), err error) {
	if w.history == nil {
		return func(*head) {}, nil
	}
	var past head
	err = w.history.copy(db, &past)
	return func(h *head) {
		h.Alive, h.Until, h.Rolls, h.Days, h.Batch = past.Alive, past.Until, past.Rolls, past.Days, past.Batch
	}, err
}

// oldest is the seq of the first kept event or gap; newest+1 if there is none.
func (w *whole) oldest() uint64 {
	switch {
	case w.first > 0:
		return w.first
	case len(w.events) > 0:
		return w.events[0].Seq
	}
	return w.newest + 1
}

// newPath is where a new file is built before it is renamed to path.
func newPath(path string) string { return path + ".new" }

// build makes a database file beside path and leaves it open. The file is synced when
// build returns, so that [install] never moves a half-written one to path.
func build(path string, w *whole) (*file, error) {
	db, f, err := makeFile(newPath(path), func(db *bolt.DB, f *os.File) error {
		if err := db.Update(w.fill); err != nil {
			return err
		}
		// Twice, so that both of bbolt's meta pages refer to it.
		past, err := w.copyHistory(db)
		return errors.Join(err, db.Update(rewriting(past)), db.Update(rewriting(func(*head) {})), f.Sync())
	})
	if err != nil {
		return nil, err
	}
	return newFile(db, f, w.id)
}

// makeFile makes a file with what write writes, and leaves it open. If it fails, it leaves no
// file.
func makeFile(temporary string, write func(*bolt.DB, *os.File) error) (_ *bolt.DB, _ *os.File, err error) {
	// A process that was killed may have left a file.
	if err := removeAny(temporary); err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, nil, err
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
		return write(db, f)
	})
	if err != nil {
		if db != nil {
			closeAfter(db, err)
		}
		return nil, nil, err
	}
	return db, f, nil
}

// install renames the file that build made to path, where there is nothing or only the
// file that it was made from.
func install(path string) error {
	if err := os.Rename(newPath(path), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// setAside renames what is at path to a name with the reason and the time, and
// returns that name. It replaces no file.
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
	corrupt   = "corrupt"   // ours, and damaged
	displaced = "displaced" // not ours: somebody put it where the open file was
)
