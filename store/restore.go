package store

import (
	"encoding/binary"
	"time"

	bolt "go.etcd.io/bbolt"
)

// renumber makes a copy, or an older file, a database of its own. What was numbered
// after it is not in it, and clients have seen those numbers: a number that came
// again would be taken for the old one. So numbers go on from beyond all that may
// have been given, also when the same copy is restored again. Kept events keep
// their order and their gaps, and a client that asks for what followed an old
// number is told that it is gone.
func renumber(db *bolt.DB, now time.Time, known mark) error {
	return guard(func() error {
		return db.Update(func(tx *bolt.Tx) error {
			meta := tx.Bucket(metaBucket())
			if err := putNumber(meta, generationKey(), beyond(now, known.Generation)); err != nil {
				return err
			}
			if err := moveEvents(tx, beyond(now, known.Seq)); err != nil {
				return err
			}
			return meta.Delete(copyKey())
		})
	})
}

// moveEvents gives the newest event the number to.
func moveEvents(tx *bolt.Tx, to uint64) error {
	old := tx.Bucket(eventsBucket())
	newest := old.Sequence()
	var seqs []uint64
	var texts [][]byte
	err := old.ForEach(func(key, text []byte) error {
		seqs = append(seqs, binary.BigEndian.Uint64(key)+to-newest)
		texts = append(texts, append([]byte(nil), text...)) // it dies with the bucket
		return nil
	})
	if err != nil {
		return err
	}
	if err := tx.DeleteBucket(eventsBucket()); err != nil {
		return err
	}
	events, err := tx.CreateBucket(eventsBucket())
	if err != nil {
		return err
	}
	for i, seq := range seqs {
		if err := events.Put(seqKey(seq), texts[i]); err != nil {
			return err
		}
	}
	return events.SetSequence(to)
}
