package store

import (
	"bytes"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

// A historyReader reads the history from one transaction, and what is newer from memory. It
// leaves out what is damaged.
type historyReader struct {
	newer              *unwritten
	head               *head
	hours, days, lists *bolt.Bucket
	damaged            func(bucket, key []byte)
	now                time.Time
}

func newHistoryReader(tx *bolt.Tx, s *Store, newer *unwritten, now time.Time) (*historyReader, error) {
	h, err := readHead(tx)
	if err != nil {
		return nil, &corruptError{err}
	}
	return &historyReader{
		newer: newer, head: h, damaged: s.sayDamaged, now: now,
		hours: tx.Bucket(hourBucket()), days: tx.Bucket(dayBucket()), lists: tx.Bucket(changeBucket()),
	}, nil
}

// buckets returns a provider's hours or days that begin in [from, until).
func (r *historyReader) buckets(id string, step time.Duration, from, until time.Time) []rollup.Bucket {
	number := r.newer.providers[id].number
	if number == machine {
		return nil
	}
	sums := make(map[time.Time]*rollup.Bucket)
	add := func(at time.Time, b rollup.Bucket) {
		at = rollup.Begin(at, step)
		switch {
		case at.Before(from) || !at.Before(until):
		case sums[at] == nil:
			sums[at] = &b
		default:
			sums[at].Merge(&b)
		}
	}
	hours := from
	if step == rollup.Day { // the hours before are in days
		added := time.Unix(r.head.Days, 0).UTC()
		r.each(r.days, dayBucket(), number, step, from, earliest(until, added), add)
		hours = latest(from, added)
	}
	r.each(r.hours, hourBucket(), number, rollup.Hour, hours, until, add)
	r.newer.hours(id, r.head, func(at time.Time, b *rollup.Bucket) { add(at, *b) })
	found := make([]rollup.Bucket, 0, len(sums))
	for at, b := range sums {
		if b.Time, b.Step = at, step; !b.IsEmpty() {
			found = append(found, *b)
		}
	}
	slices.SortFunc(found, func(a, b rollup.Bucket) int { return a.Time.Compare(b.Time) })
	return found
}

// each calls visit for each stored bucket of a provider that begins in [from, until).
func (r *historyReader) each(in *bolt.Bucket, name []byte, number uint32, step time.Duration, from, until time.Time, visit func(time.Time, rollup.Bucket)) {
	c := in.Cursor()
	for key, value := c.Seek(pairKey(seconds(from), number)); key != nil; {
		at, n, ok := readPair(key)
		if !ok || !atSeconds(at).Before(until) || at < seconds(from) {
			return
		}
		switch {
		case n < number: // of that time, but of a provider before this one
			key, value = c.Seek(pairKey(at, number))
			continue
		case n == number:
			if b, err := openBucketValue(name, key, value); err == nil {
				visit(atSeconds(at), b)
			} else {
				r.damaged(name, bytes.Clone(key))
			}
		}
		if next := seconds(atSeconds(at).Add(step)); next > at {
			key, value = c.Seek(pairKey(next, number))
		} else {
			return // in 2106
		}
	}
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// record returns a provider's changes since a time, and when nobody watched.
func (r *historyReader) record(id string, since time.Time) Record {
	return r.recordBeside(id, since, r.changes(machine))
}

// recordBeside is record, given this machine's changes that are in the file.
func (r *historyReader) recordBeside(id string, since time.Time, machines []rollup.Change) Record {
	number := r.newer.providers[id].number
	if number == machine {
		return Record{}
	}
	return Record{
		Changes:   from(r.changes(number), since),
		Unwatched: spans(slices.Concat(machines, r.newer.watched(r.head)), since),
	}
}

// changes returns a provider's changes in the file.
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

// from returns the changes since a time, and the last one before that.
func from(all []rollup.Change, since time.Time) []rollup.Change {
	first := 0
	for i := range all {
		if !all[i].Time.After(since) {
			first = i
		}
	}
	return slices.Clone(all[first:])
}

// spans returns the times since a moment in which nobody watched, according to this machine's
// changes. One that has not ended is left out, because a daemon that answers is watching.
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
