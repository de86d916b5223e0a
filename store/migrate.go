package store

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"
	bolt "go.etcd.io/bbolt"
)

// Schema 1:
//
//	meta    schema, generation: decimal numbers; copy: 1 in a copy that Backup made
//	rows    provider id: its Status as JSON
//	events  seq, 8 bytes big endian: the Event as JSON
//
// The events bucket's sequence was the highest seq ever assigned. Schema 2 was this one
// without the history, whose buckets are the only difference.

// withoutHistory is schema 2.
const withoutHistory = 2

func generationKey() []byte { return []byte("generation") }
func copyKey() []byte       { return []byte("copy") }

// mayBeLost is more than the number of events that fit on a page.
const mayBeLost = 1 << 20

// A migration builds a file of this schema beside one of an older schema, and renames it into
// place once it is complete and synced. Until then the old file is not touched: after
// an interruption the next start begins again. The old file is kept as a backup, in the
// older daemon's format, for going back.
type migration struct {
	path string
	from int // the older schema
	old  *bolt.DB
	file *os.File // the old database
	log  hclog.Logger
	now  time.Time
}

// newMigration prepares the migration of an open database of an older schema.
func newMigration(path string, old *bolt.DB, file *os.File, o Options) *migration {
	m := &migration{path: path, from: 1, old: old, file: file, log: o.Log, now: o.Now()}
	_ = guard(func() error { // on error, reading the rest fails too
		return old.View(func(tx *bolt.Tx) error {
			if h, err := readHead(tx); err == nil {
				m.from = h.Schema
			}
			return nil
		})
	})
	return m
}

// kept is the name under which the old file is kept. It replaces that of an earlier
// migration, which is out of date.
func (m *migration) kept() string { return fmt.Sprintf("%s.schema%d", m.path, m.from) }

// steps are what comes before the rename, in this order.
func (m *migration) steps() []func() error {
	return []func() error{m.clean, m.convert, m.check, m.copyOld, m.keepOld}
}

// prepare makes everything ready for the rename.
func (m *migration) prepare() error {
	for _, step := range m.steps() {
		if err := step(); err != nil {
			_ = m.clean() // the error that counts is the first
			return &OpenError{Op: "migrate the database", Path: m.path, Err: err, Needs: 3 * sizeOf(m.file)}
		}
	}
	return nil
}

// clean removes what an interrupted migration left behind.
func (m *migration) clean() error {
	return errors.Join(removeAny(newPath(m.path)), removeAny(m.kept()+".new"))
}

// convert writes the new file.
func (m *migration) convert() error {
	w := new(whole)
	read := m.read
	if m.from == withoutHistory {
		read = m.readSound
	}
	err := guard(func() error { return m.old.View(func(tx *bolt.Tx) error { return read(tx, w) }) })
	if err != nil {
		return err
	}
	made, err := build(m.path, w)
	if err != nil {
		return err
	}
	return made.close()
}

// readSound reads a database of schema 2, which is verified like one of this schema.
func (m *migration) readSound(tx *bolt.Tx, w *whole) error {
	h, err := readHead(tx)
	if err != nil {
		return err
	}
	w.first, w.newest, w.generation, w.copied = h.Oldest, h.Newest, h.Generation, h.Copy
	rows := make(map[string]*Row)
	err = tx.Bucket(rowsBucket()).ForEach(func(id, value []byte) error {
		row, err := decodeRow(id, value)
		if err == nil {
			rows[row.Status.ID] = row
		}
		return err
	})
	if err != nil {
		return err
	}
	w.rows = maps.Values(rows)
	for found := range eventsIn(tx.Bucket(eventsBucket()), h.Oldest, h.Newest) {
		if found.text == nil {
			continue // it stays a gap
		}
		event, err := decodeEvent(found.Last, found.text)
		if err != nil {
			return err
		}
		w.events = append(w.events, event)
	}
	return nil
}

// read reads what can be read of a database of schema 1. If a number may be lost, the new file is marked as a
// copy, so that it gets new numbers.
func (m *migration) read(tx *bolt.Tx, w *whole) error {
	rows := make(map[string]*Row)
	err := tx.Bucket(rowsBucket()).ForEach(func(id, text []byte) error {
		row, err := readRow(string(id), text)
		if err != nil {
			m.log.Warn("a row of the database is unreadable: its provider starts as not checked", "path", m.path, "id", string(id), "error", err)
			return nil
		}
		rows[row.Status.ID] = row
		w.generation = max(w.generation, row.Status.Generation)
		return nil
	})
	w.rows = maps.Values(rows)
	if err != nil {
		return err
	}
	meta, events := tx.Bucket(metaBucket()), tx.Bucket(eventsBucket())
	last := uint64(0)
	err = events.ForEach(func(key, text []byte) error {
		seq, ok := seqOf(key)
		if !ok || seq == 0 || seq > maxNumber {
			m.log.Warn("an event of the database is unreadable and is left out", "path", m.path, "key", fmt.Sprintf("%x", key))
			return nil
		}
		last = seq
		if event, err := decodeEvent(seq, text); err == nil { // otherwise it becomes a gap
			w.events = append(w.events, event)
		}
		return nil
	})
	w.copied = meta.Get(copyKey()) != nil
	w.newest = m.newest(last, events.Sequence(), w)
	generation, bad := number(meta, generationKey())
	if bad != nil || generation > maxNumber {
		m.log.Warn("the number of the latest refresh is damaged: refreshes get new numbers", "path", m.path, "error", bad)
		w.copied = true
	} else {
		w.generation = max(w.generation, generation)
	}
	return err
}

// newest is the highest seq ever assigned: that of the last event found, unless the
// number given, which has no checksum, is plausible and higher.
func (m *migration) newest(last, given uint64, w *whole) uint64 {
	switch {
	case given <= last: // the newest one was always kept
		return last
	case given-last <= mayBeLost || len(w.events) == 0 && given <= maxNumber:
		return given
	}
	m.log.Warn("the number of the newest event is damaged: events get new numbers", "path", m.path, "last", last, "number", given)
	w.copied = true
	return last
}

// check opens the new file as the daemon will.
func (m *migration) check() error {
	return onFile(newPath(m.path), func(db *bolt.DB, file *os.File) error {
		if _, err := load(db, newPath(m.path), metasOf(file)); err != nil {
			return fmt.Errorf("read %s back: %w", newPath(m.path), err)
		}
		return nil
	})
}

// maxGeneration is where an older daemon that is started on the kept file goes on:
// beyond every number that this one gives in the next ten years.
func (m *migration) maxGeneration() uint64 { return beyond(m.now.AddDate(10, 0, 0), 0) }

// copyOld copies the old file and marks the copy as one, so that a daemon that is
// started on it uses none of the numbers given since.
func (m *migration) copyOld() error {
	copied := m.kept() + ".new"
	file, err := os.OpenFile(copied, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, io.NewSectionReader(m.file, 0, math.MaxInt64))
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	mark := func(tx *bolt.Tx) error {
		meta := tx.Bucket(metaBucket())
		return errors.Join(putNumber(meta, copyKey(), 1), putNumber(meta, generationKey(), m.maxGeneration()))
	}
	if m.from == withoutHistory {
		mark = rewriting(func(h *head) { h.Copy, h.Generation = true, m.maxGeneration() })
	}
	return onFile(copied, func(db *bolt.DB, file *os.File) error {
		// Twice, so that both of bbolt's meta pages refer to it.
		return errors.Join(db.Update(mark), db.Update(mark), file.Sync())
	})
}

func (m *migration) keepOld() error {
	if err := os.Rename(m.kept()+".new", m.kept()); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(m.path))
}

// Error makes a prepared migration one of the outcomes of opening the database.
func (m *migration) Error() string { return "the database has an older schema" }

// onFile opens a database that nobody else uses, calls do and closes it.
func onFile(path string, do func(*bolt.DB, *os.File) error) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close() // again, in case bbolt did not
	return inFile(file, func(db *bolt.DB) error { return do(db, file) })
}

// inFile does the same with a file that is open.
func inFile(file *os.File, do func(*bolt.DB) error) error {
	options := boltOptions(file)
	options.InitialMmapSize, options.NoSync = 0, true
	return guard(func() error {
		db, err := bolt.Open(file.Name(), 0o600, options)
		if err != nil {
			return err
		}
		db.AllocSize = growBy
		return errors.Join(do(db), db.Close())
	})
}
