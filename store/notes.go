package store

import (
	"context"
	"fmt"
	"maps"

	bolt "go.etcd.io/bbolt"
)

// Notes are small values that the engine of notifications keeps here. All of them are in memory,
// too.

// Notes returns every value by its key, as it was last saved or is about to be. Do not change
// the values.
func (s *Store) Notes() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.notes)
}

// SaveNotes saves values; nil deletes one. They are saved together, and together with the
// events and rows that were put before. It returns nil once they are on the disk. After an
// error they may be saved later, with the next commit.
func (s *Store) SaveNotes(ctx context.Context, values map[string][]byte) error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return fmt.Errorf("commit to %s: it is closed", s.path)
	}
	if s.pending.notes == nil {
		s.pending.notes = make(map[string][]byte, len(values))
	}
	for key, value := range values {
		s.pending.notes[key] = value
		if value == nil {
			delete(s.notes, key)
		} else {
			s.notes[key] = value
		}
	}
	s.mu.Unlock()
	return s.SyncBarrier(ctx)
}

// renote makes the next commit write all notes, because the new file may lack them. The caller holds mu.
func (s *Store) renote() {
	notes := maps.Clone(s.notes)
	maps.Copy(notes, s.pending.notes) // which may delete some
	if len(notes) > 0 {
		s.pending.notes = notes
	}
}

// Renumbered reports whether the database, when it was opened, was a backup or not the one that
// clients had seen, so that what happened since it was saved is not known.
func (s *Store) Renumbered() bool { return s.renumbered }

// Bereft reports whether notes may be missing, because the database was damaged, or was absent
// although there had been one.
func (s *Store) Bereft() bool { return s.bereft }

// applyNotes writes the group's notes.
func (g *group) applyNotes(b *bolt.Bucket) error {
	for key, value := range g.notes {
		err := error(nil)
		if value == nil {
			err = b.Delete([]byte(key))
		} else {
			err = b.Put([]byte(key), seal(notifyBucket(), []byte(key), value))
		}
		if err != nil {
			return fmt.Errorf("write what was told, %s: %w", key, err)
		}
	}
	return nil
}

// readNotes reads all notes.
func readNotes(tx *bolt.Tx) (map[string][]byte, error) {
	notes := map[string][]byte{}
	err := tx.Bucket(notifyBucket()).ForEach(func(key, value []byte) error {
		text, err := unseal(notifyBucket(), key, value)
		if err != nil {
			return fmt.Errorf("what was told, %s: %w", key, err)
		}
		notes[string(key)] = append([]byte{}, text...)
		return nil
	})
	return notes, err
}
