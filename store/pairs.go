package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"os"

	bolt "go.etcd.io/bbolt"
)

// A pair is a key with its value or, without a key, a bucket. Except for the bucket's name, the
// slices are valid only during the transaction.
type pair struct {
	bucket     string
	sequence   uint64 // of the bucket, if there is no key
	key, value []byte
}

// check returns errDamaged if the value of a row or an event is not the one that was written
// under its key.
func (p pair) check() error {
	if p.key == nil || p.bucket != string(rowsBucket()) && p.bucket != string(eventsBucket()) {
		return nil
	}
	if _, err := unseal([]byte(p.bucket), p.key, p.value); err != nil {
		return fmt.Errorf("%s %q: %w", p.bucket, p.key, err)
	}
	return nil
}

// eachPair calls visit for each bucket and then for each of its values, in the order of the
// keys. It refuses buckets in buckets, because this database has none.
func eachPair(tx *bolt.Tx, visit func(pair) error) error {
	return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
		bucket := string(name)
		if err := visit(pair{bucket: bucket, sequence: b.Sequence()}); err != nil {
			return err
		}
		return b.ForEach(func(key, value []byte) error {
			if value == nil {
				return fmt.Errorf("bucket %q has a bucket %q in it", bucket, key)
			}
			return visit(pair{bucket: bucket, key: key, value: value})
		})
	})
}

// A chunk is a number of pairs, in memory of its own.
type chunk struct {
	pairs []pair
	bytes []byte
}

// with returns the chunk with one more pair.
func (c chunk) with(p pair) chunk {
	if p.key != nil {
		from := len(c.bytes)
		c.bytes = append(append(c.bytes, p.key...), p.value...)
		to := from + len(p.key)
		p.key, p.value = c.bytes[from:to:to], c.bytes[to:len(c.bytes):len(c.bytes)]
	}
	c.pairs = append(c.pairs, p)
	return c
}

func (c chunk) size() int { return len(c.bytes) }

// emptied returns an empty chunk that uses the same memory.
func (c chunk) emptied() chunk { return chunk{c.pairs[:0], c.bytes[:0]} }

// write adds the pairs to a database in which all keys come before theirs, and syncs it.
func (c chunk) write(db *bolt.DB, f *os.File) error {
	err := db.Update(func(tx *bolt.Tx) error {
		var b *bolt.Bucket
		bucket := ""
		for _, p := range c.pairs {
			if p.key == nil {
				made, err := tx.CreateBucket([]byte(p.bucket))
				if err != nil {
					return err
				}
				if err := made.SetSequence(p.sequence); err != nil {
					return err
				}
			}
			if b == nil || p.bucket != bucket {
				b, bucket = tx.Bucket([]byte(p.bucket)), p.bucket
				b.FillPercent = 0.95 // nothing comes between these keys, at least not now
			}
			if p.key == nil {
				continue
			}
			if err := b.Put(p.key, p.value); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, f.Sync(), db.View(func(tx *bolt.Tx) error { unmap(db, tx); return nil }))
}

// A digester computes a hash of pairs in their order.
type digester struct{ maphash.Hash }

func digest(seed maphash.Seed) *digester {
	d := new(digester)
	d.SetSeed(seed)
	return d
}

func (d *digester) add(p pair) {
	var numbers [4 * 8]byte
	for i, n := range []uint64{uint64(len(p.bucket)), p.sequence, uint64(len(p.key)), uint64(len(p.value))} {
		binary.NativeEndian.PutUint64(numbers[i*8:], n)
	}
	_, _ = d.Write(numbers[:]) // cannot fail
	_, _ = d.WriteString(p.bucket)
	_, _ = d.Write(p.key)
	_, _ = d.Write(p.value)
}
