package store

import (
	"fmt"
	"io"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/rollup"
)

// putAtOnce is how many values of the history a transaction copies. It holds them in memory.
const putAtOnce = 4096

// A regain copies the history from a file that may be damaged into a new one. It checks each
// page and each value, and leaves out what is damaged.
type regain struct {
	r    io.ReaderAt
	size int64
	from *head // the newest head of the file; nil if it cannot be read

	values     int // copied
	damaged    int // left out, because their checksums were wrong
	unreadable int // pages

	days, hours uint32 // the latest
}

// copy copies all of it into db, and sets the fields of h that are about the history.
func (g *regain) copy(db *bolt.DB, h *head) error {
	syncs := db.NoSync
	db.NoSync = true // the caller syncs the whole file
	defer func() { db.NoSync = syncs }()
	for _, im := range images(g.r, g.size) {
		before := g.unreadable
		if err := g.copyImage(db, im); err != nil {
			return err
		}
		if g.unreadable == before {
			break // an earlier commit has nothing that is missing
		}
	}
	if old := g.from; old != nil {
		h.Alive, h.Until, h.Rolls, h.Days, h.Batch = old.Alive, old.Until, old.Rolls, old.Days, old.Batch
		return nil
	}
	// Days that are there must not be added up again from hours of which some are gone.
	if g.days > 0 {
		h.Days = int64(g.days) + int64(rollup.Day.Seconds())
	}
	if g.hours > 0 {
		h.Until = timeMilli(atSeconds(g.hours).Add(rollup.Hour))
	}
	return nil
}

// copyImage copies what one commit refers to, except what was copied from a later one.
func (g *regain) copyImage(db *bolt.DB, im *image) error {
	buckets := make(map[string]element)
	g.unreadable += im.walk(im.root, nil, nil, func(e element) int {
		if e.bucket {
			buckets[string(e.key)] = e
		}
		return 0
	})
	for _, name := range append(historyBuckets(), notifyBucket()) {
		e, ok := buckets[string(name)]
		if !ok {
			continue
		}
		w := &valueWriter{db: db, bucket: name}
		take := func(e element) int {
			if !isWhole(name, e.key, e.value) {
				g.damaged++
				return 0
			}
			g.note(name, e.key)
			w.put(e)
			return 0
		}
		root, page, err := inline(e.value)
		switch {
		case err != nil:
			g.unreadable++
		case page != nil:
			g.unreadable += walkLeaf(page, nil, nil, take)
		default:
			g.unreadable += im.walk(root, nil, nil, take)
		}
		if err := w.flush(); err != nil {
			return err
		}
		g.values += w.copied
	}
	return nil
}

// note notes the latest hour and day.
func (g *regain) note(bucket, key []byte) {
	at, _, ok := readPair(key)
	switch {
	case !ok:
	case string(bucket) == string(hourBucket()):
		g.hours = max(g.hours, at)
	case string(bucket) == string(dayBucket()):
		g.days = max(g.days, at)
	}
}

// isWhole reports whether a value of the history is the one that was written under its key.
func isWhole(bucket, key, value []byte) bool {
	var err error
	switch _, _, pair := readPair(key); string(bucket) {
	case string(namesBucket()):
		_, err = decodeName(key, value)
	case string(openBucket()):
		_, err = decodeOpen(key, value)
	case string(changeBucket()):
		if _, err = readChanges(key, value); !pair {
			err = errMalformed
		}
	case string(notifyBucket()):
		_, err = unseal(bucket, key, value)
	default:
		if _, err = openBucketValue(bucket, key, value); !pair {
			err = errMalformed
		}
	}
	return err == nil
}

// A valueWriter copies values into a bucket, many in one transaction. It keeps the first error.
type valueWriter struct {
	db     *bolt.DB
	bucket []byte
	queue  []element
	copied int
	err    error
}

func (w *valueWriter) put(e element) {
	if w.queue = append(w.queue, e); len(w.queue) >= putAtOnce {
		_ = w.flush()
	}
}

func (w *valueWriter) flush() error {
	if w.err != nil || len(w.queue) == 0 {
		return w.err
	}
	w.err = w.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(w.bucket)
		b.FillPercent = 0.95
		for _, e := range w.queue {
			if b.Get(e.key) != nil {
				continue
			}
			if err := b.Put(e.key, e.value); err != nil {
				return fmt.Errorf("copy %s %x: %w", w.bucket, e.key, err)
			}
			w.copied++
		}
		return nil
	})
	w.queue = w.queue[:0]
	return w.err
}

// checkHistory returns an error that names a damaged value of the history. It checks only
// checksums: they prove the rest.
func checkHistory(tx *bolt.Tx) error {
	for _, name := range historyBuckets() {
		err := tx.Bucket(name).ForEach(func(key, value []byte) error {
			if _, err := unseal(name, key, value); err != nil {
				return fmt.Errorf("%s %x of the history: %w", name, key, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
