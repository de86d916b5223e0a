package store

import (
	"encoding/binary"
	"time"

	bolt "go.etcd.io/bbolt"
)

// renumber makes a copy a database of its own. What the first database numbered
// after the copy was made is not in it, and clients have seen those numbers: a
// number that came again would be taken for the old one. So numbers go on from
// the milliseconds since 1970, which no daemon has reached that began with 1 and
// counted fewer than a thousand events and refreshes a second; also when the same
// copy is restored again. Kept events keep their order, and a client that asks
// for what followed an old number is told that it is gone.
func renumber(db *bolt.DB, now time.Time) error {
	floor := uint64(max(now.UnixMilli(), 0))
	return guard(func() error {
		return db.Update(func(tx *bolt.Tx) error {
			meta := tx.Bucket(metaBucket())
			generation, err := number(meta, generationKey())
			if err != nil {
				return err
			}
			if err := putNumber(meta, generationKey(), max(generation, floor)); err != nil {
				return err
			}
			if err := moveEvents(tx, floor); err != nil {
				return err
			}
			return meta.Delete(copyKey())
		})
	})
}

// moveEvents gives the newest event a number that is newer, and at least floor.
func moveEvents(tx *bolt.Tx, floor uint64) error {
	old := tx.Bucket(eventsBucket())
	newest := old.Sequence()
	to := max(floor, newest+1)
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
