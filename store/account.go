package store

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/rollup"
)

const (
	// changesAtOnce is how many changes a list can have. Each change rewrites its list.
	changesAtOnce = 100
	// trimAtOnce is how many hours or days are removed at most when one ends, so that a clock
	// that is wrong for an hour does not remove the history.
	trimAtOnce = 2
)

// apply writes an account, and completes the head. It skips batches that are already in the
// file. A nil account is empty.
func (a *account) apply(tx *bolt.Tx, h *head) error {
	if a == nil {
		return nil
	}
	for _, b := range a.batches {
		if b.number <= h.Batch {
			continue
		}
		if err := b.apply(tx, h); err != nil {
			return err
		}
		h.Batch = b.number
	}
	open := tx.Bucket(openBucket())
	for i := range a.open {
		if err := open.Put(a.open[i].encode()); err != nil {
			return fmt.Errorf("write an open hour: %w", err)
		}
	}
	if !a.alive.IsZero() {
		h.Alive = timeMilli(a.alive)
	}
	return nil
}

func (b *batch) apply(tx *bolt.Tx, h *head) error {
	names := tx.Bucket(namesBucket())
	for id, n := range b.renamed {
		if err := names.Put([]byte(id), encodeName(id, n)); err != nil {
			return fmt.Errorf("write the name of %s: %w", id, err)
		}
	}
	for number, list := range b.changes {
		if err := appendChanges(tx.Bucket(changeBucket()), number, list); err != nil {
			return err
		}
	}
	for _, c := range b.closed {
		if err := putClosed(tx, &c, h); err != nil {
			return err
		}
	}
	if b.until.IsZero() {
		return nil
	}
	// Nothing becomes too old through a clock that was just set forward, perhaps wrongly.
	steady := h.Until == 0 || b.until.Sub(milliTime(h.Until)) <= 2*rollup.Day
	h.Until, h.Rolls = timeMilli(b.until), b.rolls
	ended, err := endDays(tx, h, rollup.Begin(b.until, rollup.Day))
	if err != nil || !steady {
		return err
	}
	if err := trim(tx.Bucket(hourBucket()), b.until.Add(-KeepHours)); err != nil || !ended {
		return err
	}
	return errors.Join(trim(tx.Bucket(dayBucket()), b.until.Add(-KeepDays)), trimChanges(tx, b.until.Add(-KeepDays)))
}

// putClosed writes an hour. If the hour is there already, because the clock was set back, it is
// added to.
func putClosed(tx *bolt.Tx, c *closedHour, h *head) error {
	bucket, err := rollup.ReadBucket(c.text)
	if err != nil {
		return err
	}
	if err := add(tx, hourBucket(), pairKey(seconds(c.hour), c.number), &bucket, c.text); err != nil {
		return err
	}
	day := rollup.Begin(c.hour, rollup.Day)
	if day.Unix() >= h.Days {
		return nil
	}
	return add(tx, dayBucket(), pairKey(seconds(day), c.number), &bucket, c.text)
}

// add adds a bucket to the one under a key. text is its encoding.
func add(tx *bolt.Tx, name, key []byte, b *rollup.Bucket, text []byte) error {
	in := tx.Bucket(name)
	in.FillPercent = 0.95 // times only grow
	if there, ok := bucketAt(in, name, key); ok {
		there.Merge(b)
		text = there.Append(nil)
	}
	if err := in.Put(key, seal(name, key, text)); err != nil {
		return fmt.Errorf("write %s %x: %w", name, key, err)
	}
	return nil
}

// bucketAt reads the bucket under a key. It returns false if there is none, or if it is
// damaged.
func bucketAt(in *bolt.Bucket, name, key []byte) (b rollup.Bucket, ok bool) {
	value := in.Get(key)
	if value == nil {
		return b, false
	}
	b, err := openBucketValue(name, key, value)
	return b, err == nil
}

func openBucketValue(name, key, value []byte) (rollup.Bucket, error) {
	text, err := unseal(name, key, value)
	if err != nil {
		return rollup.Bucket{}, err
	}
	return rollup.ReadBucket(text)
}

// endDays adds up the hours of each earlier day that has not been added up, and reports whether
// there was one.
func endDays(tx *bolt.Tx, h *head, today time.Time) (ended bool, err error) {
	c := tx.Bucket(hourBucket()).Cursor()
	for {
		key, _ := c.Seek(pairKey(seconds(time.Unix(h.Days, 0)), 0))
		at, _, ok := readPair(key)
		if !ok || !atSeconds(at).Before(today) {
			break
		}
		day := rollup.Begin(atSeconds(at), rollup.Day)
		if err := endDay(tx, day); err != nil {
			return false, err
		}
		h.Days, ended = day.Add(rollup.Day).Unix(), true
	}
	h.Days = max(h.Days, today.Unix())
	return ended, nil
}

// endDay adds up the hours of a day.
func endDay(tx *bolt.Tx, day time.Time) error {
	hours, days := tx.Bucket(hourBucket()), tx.Bucket(dayBucket())
	days.FillPercent = 0.95 // times only grow
	for _, number := range numbersIn(hours, day, day.Add(rollup.Day)) {
		var sum rollup.Bucket
		addHours(hours, number, day, &sum)
		key := pairKey(seconds(day), number)
		if err := days.Put(key, seal(dayBucket(), key, sum.Append(nil))); err != nil {
			return fmt.Errorf("write day %x: %w", key, err)
		}
	}
	return nil
}

// addHours adds the hours of a day to sum.
func addHours(hours *bolt.Bucket, number uint32, day time.Time, sum *rollup.Bucket) {
	for at := day; at.Before(day.Add(rollup.Day)); at = at.Add(rollup.Hour) {
		if b, ok := bucketAt(hours, hourBucket(), pairKey(seconds(at), number)); ok {
			sum.Merge(&b)
		}
	}
}

// numbersIn returns the numbers of the providers with a key in [from, until), in order.
func numbersIn(hours *bolt.Bucket, from, until time.Time) []uint32 {
	seen := make(map[uint32]struct{})
	c := hours.Cursor()
	for key, _ := c.Seek(pairKey(seconds(from), 0)); key != nil; key, _ = c.Next() {
		at, number, ok := readPair(key)
		if ok && at >= seconds(until) {
			break
		}
		if ok {
			seen[number] = struct{}{}
		}
	}
	numbers := make([]uint32, 0, len(seen))
	for n := range seen {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	return numbers
}

// trim removes what is older than oldest, but only a few hours or days at a time, the oldest
// first.
func trim(b *bolt.Bucket, oldest time.Time) error {
	limit := pairKey(seconds(oldest), 0)
	var last []byte
	removed := 0
	for key, _ := b.Cursor().First(); key != nil && bytes.Compare(key, limit) < 0; key, _ = b.Cursor().First() {
		if last == nil || !bytes.Equal(key[:min(4, len(key))], last) {
			if removed++; removed > trimAtOnce {
				return nil
			}
			last = bytes.Clone(key[:min(4, len(key))])
		}
		if err := b.Delete(key); err != nil {
			return fmt.Errorf("trim the history at %x: %w", key, err)
		}
	}
	return nil
}

// appendChanges adds changes to a provider's last list, or begins a new one.
func appendChanges(b *bolt.Bucket, number uint32, more []rollup.Change) error {
	at, list := lastChanges(b, number)
	for len(more) > 0 {
		if len(list) >= changesAtOnce {
			at, list = at+1, nil
			if at >= mostChanges/changesAtOnce {
				if err := b.Delete(pairKey(number, at-mostChanges/changesAtOnce)); err != nil {
					return fmt.Errorf("trim the changes of provider %d: %w", number, err)
				}
			}
		}
		n := min(len(more), changesAtOnce-len(list))
		list, more = append(list, more[:n]...), more[n:]
		key := pairKey(number, at)
		if err := b.Put(key, seal(changeBucket(), key, rollup.AppendChanges(nil, list))); err != nil {
			return fmt.Errorf("write the changes of provider %d: %w", number, err)
		}
	}
	return nil
}

// lastChanges returns a provider's last list and its number. A damaged list stays as it is, and
// a new one is begun.
func lastChanges(b *bolt.Bucket, number uint32) (at uint32, list []rollup.Change) {
	c := b.Cursor()
	before := c.Prev
	if key, _ := c.Seek(pairKey(number+1, 0)); key == nil {
		before = c.Last
	}
	key, value := before()
	n, at, ok := readPair(key)
	if !ok || n != number {
		return 0, nil
	}
	list, err := readChanges(key, value)
	if err != nil {
		return at + 1, nil
	}
	return at, list
}

func readChanges(key, value []byte) ([]rollup.Change, error) {
	text, err := unseal(changeBucket(), key, value)
	if err != nil {
		return nil, err
	}
	return rollup.ReadChanges(text)
}

// trimChanges removes lists in which every change is too old. It keeps each provider's last
// list, which has the state since then, unless the provider was removed as long ago.
func trimChanges(tx *bolt.Tx, oldest time.Time) error {
	b, names := tx.Bucket(changeBucket()), tx.Bucket(namesBucket())
	removed := make(map[uint32]bool)
	var forgotten, old [][]byte
	err := names.ForEach(func(id, value []byte) error {
		if n, err := decodeName(id, value); err == nil && n.removed != 0 && n.removed < oldest.Unix() {
			removed[n.number] = true
			forgotten = append(forgotten, bytes.Clone(id))
		}
		return nil
	})
	if err != nil {
		return err
	}
	c := b.Cursor()
	for key, value := c.First(); key != nil; {
		next, nextValue := c.Next()
		number, _, ok := readPair(key)
		follower, _, _ := readPair(next)
		switch list, err := readChanges(key, value); {
		case !ok, removed[number]:
			old = append(old, bytes.Clone(key))
		case next == nil || follower != number: // the last one
		case err != nil || len(list) == 0 || list[len(list)-1].Time.Before(oldest):
			old = append(old, bytes.Clone(key))
		}
		key, value = next, nextValue
	}
	for _, key := range old {
		if err := b.Delete(key); err != nil {
			return fmt.Errorf("trim the changes at %x: %w", key, err)
		}
	}
	for _, id := range forgotten {
		if err := names.Delete(id); err != nil {
			return fmt.Errorf("forget the name of %s: %w", id, err)
		}
	}
	for number := range removed {
		if err := tx.Bucket(openBucket()).Delete(openKey(number)); err != nil {
			return fmt.Errorf("forget the open hour of provider %d: %w", number, err)
		}
	}
	return nil
}
