package store

import (
	"bytes"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/rollup"
)

// A PastOf is a provider's history in a time.
type PastOf struct {
	At      time.Time       // when it was read: until then, the open bucket is complete
	Buckets []rollup.Bucket // as of [Store.Hours] or [Store.Days]
	Record
}

// PastOf returns the hours or days of a provider that begin in [from, until), and its changes
// since from, all of the same moment. It waits for the disk like Hours.
func (s *Store) PastOf(id string, step time.Duration, from, until time.Time) (PastOf, error) {
	var past PastOf
	err := s.readHistory(func(r *historyReader) error {
		past = PastOf{r.now, r.buckets(id, step, from, until), r.record(id, from)}
		return nil
	})
	if err != nil {
		return PastOf{}, err
	}
	return past, nil
}

// A Collector takes in the history of many providers, which are numbered as they were asked
// for. What it is given belongs to the store again when it returns.
type Collector struct {
	// Bucket is called for each part of an hour or a day of which something is known, in no
	// order. The parts of one have the same time.
	Bucket func(provider int, b *rollup.Bucket)
	// Record is called once for each provider, after its buckets. Until at, its open bucket is
	// complete.
	Record func(provider int, rec *Record, at time.Time)
}

// Collect reads the history of several providers, as PastOf does, without holding all of it in
// memory. After an error the collector may still be called: do not look at what it collected.
func (s *Store) Collect(ids []string, step time.Duration, from, until time.Time, c Collector) error {
	return s.readHistory(func(r *historyReader) error {
		numbers := make(map[uint32]int, len(ids))
		for i, id := range ids {
			number, closed, open := r.ledger.recent(id, r.head.Batch, r.now)
			if number == machine {
				continue
			}
			numbers[number] = i
			if open != nil {
				open.Time = rollup.Begin(open.Time, step)
				r.collect(open, i, from, until, c)
			}
			for _, one := range closed {
				if b, err := rollup.ReadBucket(one.text); err == nil { // we wrote it
					b.Time = rollup.Begin(one.hour, step)
					r.collect(&b, i, from, until, c)
				}
			}
		}
		if step == rollup.Hour {
			r.sweep(r.hours, hourBucket(), step, from, until, numbers, c)
		} else {
			added := time.Unix(r.head.Days, 0).UTC() // later days are only in hours
			r.sweep(r.days, dayBucket(), step, from, earliest(until, added), numbers, c)
			r.sweep(r.hours, hourBucket(), step, latest(from, added), until, numbers, c)
		}
		r.records(ids, from, c)
		return nil
	})
}

// records collects the changes. When nobody watched is the same for all.
func (r *historyReader) records(ids []string, from time.Time, c Collector) {
	ours := r.changes(machine)
	for i, id := range ids {
		rec := r.recordBeside(id, from, ours)
		c.Record(i, &rec, r.now)
	}
}

// sweep collects what is stored in a bucket of the database in the order of its keys: of all
// providers, one step after the other. Looking each one up would take ten times as long.
func (r *historyReader) sweep(in *bolt.Bucket, name []byte, step time.Duration, from, until time.Time, numbers map[uint32]int, c Collector) {
	if !from.Before(until) {
		return
	}
	end, cursor := pairKey(seconds(until), 0), in.Cursor()
	for key, value := cursor.Seek(pairKey(seconds(from), 0)); key != nil && bytes.Compare(key, end) < 0; key, value = cursor.Next() {
		at, number, ok := readPair(key)
		i, wanted := numbers[number]
		if !ok || !wanted {
			continue
		}
		b, err := openBucketValue(name, key, value)
		if err != nil {
			r.damaged(name, key)
			continue
		}
		b.Time = rollup.Begin(atSeconds(at), step)
		r.collect(&b, i, from, until, c)
	}
}

// collect passes on a bucket that is in [from, until).
func (r *historyReader) collect(b *rollup.Bucket, provider int, from, until time.Time, c Collector) {
	if !b.Time.Before(from) && b.Time.Before(until) && !b.IsEmpty() {
		c.Bucket(provider, b)
	}
}

// count is how many providers have a history.
func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.names)
}
