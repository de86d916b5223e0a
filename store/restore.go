package store

import (
	"bytes"
	"math/rand/v2"
	"time"

	bolt "go.etcd.io/bbolt"
)

// renumber turns a copy, or an out-of-date file, into a database of its own. Clients
// have seen numbers that were assigned after the copy was made; such a number must not
// be assigned again. So numbers continue from beyond all that may have been assigned,
// also if the same copy is restored twice. Events keep their order and their gaps, and a
// client that asks for what followed an old number is told that it is gone.
func renumber(db *bolt.DB, now time.Time, known mark) error {
	return guard(func() error {
		return db.Update(func(tx *bolt.Tx) error {
			h, err := readHead(tx)
			if err != nil {
				return &corruptError{err}
			}
			to := beyond(now, known.Seq)
			if err := moveEvents(tx, h.Oldest, h.Newest, to); err != nil {
				return err
			}
			h.Oldest, h.Newest = h.Oldest+to-h.Newest, to
			h.Generation, h.Copy, h.ID = beyond(now, known.Generation), false, rand.Uint64()
			return h.write(tx)
		})
	})
}

// moveEvents gives the newest event the number to, and those before it the preceding
// numbers.
func moveEvents(tx *bolt.Tx, oldest, newest, to uint64) error {
	var seqs []uint64
	var texts [][]byte
	for event := range eventsIn(tx.Bucket(eventsBucket()), oldest, newest) {
		if event.text != nil {
			seqs = append(seqs, event.Last+to-newest)
			texts = append(texts, bytes.Clone(event.text)) // its memory is gone with the bucket
		}
	}
	if err := tx.DeleteBucket(eventsBucket()); err != nil {
		return err
	}
	events, err := tx.CreateBucket(eventsBucket())
	if err != nil {
		return err
	}
	for i, seq := range seqs {
		key := seqKey(seq)
		if err := events.Put(key, seal(eventsBucket(), key, texts[i])); err != nil {
			return err
		}
	}
	return nil
}
