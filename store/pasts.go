package store

import (
	"bytes"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/rollup"
)

// A PastOf is a provider's history of some time.
type PastOf struct {
	At      time.Time       // when it was read: the open bucket is complete up to here
	Buckets []rollup.Bucket // like those of [Store.Hours] or [Store.Days]
	Record
}

// PastOf returns the hours or days of a provider that begin in [from, until), and its changes
// since from, all as of the same moment. It waits for the disk as Hours does.
func (s *Store) PastOf(id string, step time.Duration, from, until time.Time) (PastOf, error) {
	var past PastOf
	err := s.readHistory([]string{id}, func(r *historyReader) error {
		past = PastOf{r.now, r.buckets(id, step, from, until), r.record(id, from)}
		return nil
	})
	if err != nil {
		return PastOf{}, err
	}
	return past, nil
}

// A Collector receives the history of many providers, which are numbered in the order in which
// they were asked for. A method must not keep its arguments.
type Collector struct {
	// Bucket is called, in no particular order, for each part of an hour or a day of which
	// something is known. The parts of one hour or day have the same time.
	Bucket func(provider int, b *rollup.Bucket)
	// Record is called once for each provider, after its buckets. Its open bucket is complete
	// up to at.
	Record func(provider int, rec *Record, at time.Time)
}

// Collect reads the history of several providers, as PastOf does, without holding all of it in
// memory. After an error, the collector may still be called: do not use what it collected.
func (s *Store) Collect(ids []string, step time.Duration, from, until time.Time, c Collector) error {
	return s.readHistory(ids, func(r *historyReader) error {
		numbers := make(map[uint32]int, len(ids))
		for i, id := range ids {
			number := r.newer.providers[id].number
			if number == machine {
				continue
			}
			numbers[number] = i
			r.newer.hours(id, r.head, func(at time.Time, b *rollup.Bucket) {
				b.Time = rollup.Begin(at, step)
				r.collect(b, i, from, until, c)
			})
		}
		if step == rollup.Hour {
			r.sweep(r.hours, hourBucket(), step, from, until, numbers, c)
		} else {
			added := time.Unix(r.head.Days, 0).UTC() // later days have only hours
			r.sweep(r.days, dayBucket(), step, from, earliest(until, added), numbers, c)
			r.sweep(r.hours, hourBucket(), step, latest(from, added), until, numbers, c)
		}
		r.records(ids, from, c)
		return nil
	})
}

// records collects the changes. The times in which nobody watched are the same for all.
func (r *historyReader) records(ids []string, from time.Time, c Collector) {
	ours := r.changes(machine)
	for i, id := range ids {
		rec := r.recordBeside(id, from, ours)
		c.Record(i, &rec, r.now)
	}
}

// sweep reads a bucket of the database in the order of its keys: all providers of one step,
// then those of the next. To look each of them up would take ten times as long.
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

// count returns how many providers have a history.
func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.names)
}
