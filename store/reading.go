package store

import (
	"math"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

// A historyReader reads the history from one transaction, and what is newer from memory. It
// leaves out what is damaged.
type historyReader struct {
	ledger             *ledger
	head               *head
	hours, days, lists *bolt.Bucket
	damaged            func(bucket, key []byte)
	now                time.Time
}

func newHistoryReader(tx *bolt.Tx, s *Store) (*historyReader, error) {
	h, err := readHead(tx)
	if err != nil {
		return nil, &corruptError{err}
	}
	return &historyReader{
		ledger: &s.ledger, head: h, damaged: s.sayDamaged, now: time.Now(),
		hours: tx.Bucket(hourBucket()), days: tx.Bucket(dayBucket()), lists: tx.Bucket(changeBucket()),
	}, nil
}

// get returns the bucket under a key; false: there is none, or it is damaged.
func (r *historyReader) get(in *bolt.Bucket, bucket, key []byte) (rollup.Bucket, bool) {
	value := in.Get(key)
	if value == nil {
		return rollup.Bucket{}, false
	}
	b, err := openBucketValue(bucket, key, value)
	if err != nil {
		r.damaged(bucket, key)
	}
	return b, err == nil
}

// buckets returns a provider's hours or days that begin in [from, until).
func (r *historyReader) buckets(id string, step time.Duration, from, until time.Time) []rollup.Bucket {
	number, closed, open := r.ledger.recent(id, r.head.Batch, r.now)
	if number == machine {
		return nil
	}
	recent := r.byTime(closed, open, step)
	if begin := rollup.Begin(from, step); begin.Before(from) {
		from = begin.Add(step)
	} else {
		from = begin
	}
	var found []rollup.Bucket
	for _, at := range r.times(recent, step, from, until) {
		b := r.stored(number, at, step)
		if more := recent[at]; more != nil {
			b.Merge(more)
		}
		if b.Time, b.Step = at, step; !b.IsEmpty() {
			found = append(found, b)
		}
	}
	return found
}

// byTime adds up what is in memory.
func (r *historyReader) byTime(closed []closedHour, open *rollup.Bucket, step time.Duration) map[time.Time]*rollup.Bucket {
	recent := make(map[time.Time]*rollup.Bucket)
	add := func(b *rollup.Bucket, at time.Time) {
		at = rollup.Begin(at, step)
		if recent[at] == nil {
			recent[at] = new(rollup.Bucket)
		}
		recent[at].Merge(b)
	}
	for _, c := range closed {
		if b, err := rollup.ReadBucket(c.text); err == nil { // we wrote it
			add(&b, c.hour)
		}
	}
	if open != nil {
		add(open, open.Time)
	}
	return recent
}

// times are those in [from, until) at which any provider has an hour or a day, in order, and
// those of recent.
func (r *historyReader) times(recent map[time.Time]*rollup.Bucket, step time.Duration, from, until time.Time) []time.Time {
	var all []time.Time
	add := func(at time.Time) {
		if !at.Before(from) && at.Before(until) {
			all = append(all, at)
		}
	}
	each := func(in *bolt.Bucket, first time.Time) {
		c := in.Cursor()
		for key, _ := c.Seek(pairKey(seconds(first), 0)); key != nil; {
			at, _, ok := readPair(key)
			begin := rollup.Begin(atSeconds(at), step)
			if !ok || !begin.Before(until) || at > math.MaxUint32-uint32(rollup.Day/time.Second) {
				break
			}
			add(begin)
			key, _ = c.Seek(pairKey(seconds(begin.Add(step)), 0))
		}
	}
	switch step {
	case rollup.Hour:
		each(r.hours, from)
	default:
		each(r.days, from)
		each(r.hours, latest(from, time.Unix(r.head.Days, 0)))
	}
	for at := range recent {
		add(at)
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.Compact(all)
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// stored is what the file has of an hour or a day. A day whose hours have not been added up
// is the sum of them.
func (r *historyReader) stored(number uint32, at time.Time, step time.Duration) (b rollup.Bucket) {
	key := pairKey(seconds(at), number)
	switch {
	case step == rollup.Hour:
		b, _ = r.get(r.hours, hourBucket(), key)
	case at.Unix() < r.head.Days:
		b, _ = r.get(r.days, dayBucket(), key)
	default:
		for hour := at; hour.Before(at.Add(rollup.Day)); hour = hour.Add(rollup.Hour) {
			if one, ok := r.get(r.hours, hourBucket(), pairKey(seconds(hour), number)); ok {
				b.Merge(&one)
			}
		}
	}
	return b
}

// record returns a provider's changes since a time, and when nobody watched.
func (r *historyReader) record(id string, since time.Time) Record {
	number, own, ours := r.ledger.pending(id, r.head.Batch)
	if number == machine {
		return Record{}
	}
	return Record{
		Changes:   from(append(r.changes(number), own...), since),
		Unwatched: spans(append(r.changes(machine), ours...), since),
	}
}

// changes are those of a provider in the file.
func (r *historyReader) changes(number uint32) (all []rollup.Change) {
	c := r.lists.Cursor()
	for key, value := c.Seek(pairKey(number, 0)); key != nil; key, value = c.Next() {
		n, _, ok := readPair(key)
		if ok && n != number {
			break
		}
		list, err := readChanges(key, value)
		if err != nil {
			r.damaged(changeBucket(), key)
			continue
		}
		all = append(all, list...)
	}
	return all
}

// from returns the changes since a time, and the last one before it.
func from(all []rollup.Change, since time.Time) []rollup.Change {
	first := 0
	for i := range all {
		if !all[i].Time.After(since) {
			first = i
		}
	}
	return slices.Clone(all[first:])
}

// spans are the times in which nobody watched, since a time, according to this machine's
// changes. One that has not ended is left out: a daemon that answers watches.
func spans(all []rollup.Change, since time.Time) (unwatched []rollup.Span) {
	var began time.Time
	for _, c := range all {
		switch {
		case c.State != provider.StateRunning:
			if began.IsZero() {
				began = c.Time
			}
		case !began.IsZero():
			if c.Time.After(since) && c.Time.After(began) {
				unwatched = append(unwatched, rollup.Span{From: began, Until: c.Time})
			}
			began = time.Time{}
		}
	}
	return unwatched
}
