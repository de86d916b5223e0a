//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

const (
	ballast  = 300 // events that stay, so that a compaction takes a while
	inflated = 10  // MiB, at least, of the file before each start
)

// compact lets a daemon start with a file that is mostly free, again and again. It is killed or
// loses power at random moments of the compaction, or the disk is full. The next daemon has
// everything that was seen, and a small file.
func compact(b *bench, t *try) error {
	d, k, done, err := b.onDisk(t, 64, 20)
	if err != nil {
		return err
	}
	defer done()
	w := newWitness(t, false)
	w.pausing, w.timing = true, true
	if err := os.MkdirAll(d.state, 0o700); err != nil {
		return err
	}
	if err := inflate(d.database(), ballast); err != nil {
		return err
	}
	span, err := b.compactionTakes(d, t)
	if err != nil {
		return err
	}
	ends := []func() error{
		func() error { return b.duringCompaction(d, w, span, func() error { d.kill(); return nil }) },
		func() error {
			return errors.Join(b.duringCompaction(d, w, span, k.cut), k.again())
		},
		func() error { return b.noRoomToCompact(d, k, w) },
	}
	for i := range lives {
		if err := inflate(d.database(), 0); err != nil {
			return err
		}
		if err := ends[(i+i/3)%len(ends)](); err != nil { // never the same order
			return err
		}
		if err := d.startAndCompare(b, w); err != nil {
			return err
		}
		b.shrinks(d, t)
		if err := d.term(); err != nil {
			return err
		}
	}
	t.times = lives
	t.note = fmt.Sprintf("a compaction takes %s", span.Round(time.Millisecond))
	return nil
}

// inflate adds events that stay, and megabytes that are free afterwards.
func inflate(path string, events int) error {
	s, err := store.Open(path, store.Options{CompactFrom: 1 << 40})
	if err != nil {
		return err
	}
	text := strings.Repeat("x", 20_000)
	now := provider.Time{Time: time.Now()}
	for range events {
		s.Note(provider.Event{Time: now, ID: "ballast", From: provider.StateUnknown, To: provider.StateUnknown, Detail: text})
	}
	known := slices.Sorted(maps.Keys(s.Restored()))
	all, fresh := slices.Clone(known), map[string]store.Update{}
	for i := range 16 {
		id := fmt.Sprintf("removed%d", i)
		all = append(all, id)
		fresh[id] = store.Update{Status: provider.Status{ID: id, State: provider.StateUnknown, Detail: strings.Repeat(text, 50)}}
	}
	s.Configure(all, fresh)
	err = s.SyncBarrier(context.Background())
	s.Configure(known, nil)
	return errors.Join(err, s.SyncBarrier(context.Background()), s.Close())
}

// compactionTakes is how long a compaction takes that nobody disturbs.
func (b *bench) compactionTakes(d *daemon, t *try) (time.Duration, error) {
	if err := d.launch(); err != nil {
		return 0, err
	}
	defer d.kill()
	if !b.compacts(d) {
		return 0, fmt.Errorf("no compaction: %s", d.log.last())
	}
	began := time.Now()
	b.shrinks(d, t)
	return time.Since(began), nil
}

// compacts waits until a compaction has begun.
func (b *bench) compacts(d *daemon) bool {
	return d.until(b, startTime, func() bool {
		_, err := os.Lstat(d.database() + ".compact")
		return err == nil
	})
}

// shrinks waits until the file is small and nothing is left beside it.
func (b *bench) shrinks(d *daemon, t *try) {
	if !d.until(b, recoverTime, func() bool {
		info, err := os.Lstat(d.database())
		_, left := os.Lstat(d.database() + ".compact")
		return err == nil && info.Size() < inflated<<20 && errors.Is(left, fs.ErrNotExist)
	}) {
		t.fault(stuck, "the database does not shrink within %s: %s", recoverTime, d.log.last())
	}
}

// duringCompaction starts a daemon, and ends it at a random moment of its compaction or just
// after it.
func (b *bench) duringCompaction(d *daemon, w *witness, span time.Duration, end func() error) error {
	if err := d.launch(); err != nil {
		return err
	}
	moment := time.Duration(b.random.Int64N(int64(span + span/2)))
	seen := make(chan struct{})
	go func() { // it may end before it answers
		defer close(seen)
		if d.answers(b) == nil {
			watch := w.watch(d)
			<-d.ended
			watch.stop()
		}
	}()
	began := b.compacts(d)
	b.wait(moment)
	err := end()
	d.kill()
	<-seen
	if !began {
		return fmt.Errorf("no compaction: %s", d.log.last())
	}
	return err
}

// noRoomToCompact starts a daemon on a disk without room for the new file. It must work with the
// old one, and say once why.
func (b *bench) noRoomToCompact(d *daemon, k *disk, w *witness) error {
	if err := fill(k); err != nil {
		return err
	}
	filler := filepath.Join(k.mount, "filler")
	info, err := os.Lstat(filler)
	if err != nil {
		return err
	}
	if err := os.Truncate(filler, info.Size()-b.random.Int64N(4<<20)); err != nil {
		return err
	}
	said := len(d.log.String())
	if err := d.startAndCompare(b, w); err != nil {
		return err
	}
	watch := w.watch(d)
	defer watch.stop()
	defer d.kill()
	const line = "could not be compacted"
	if !d.until(b, noticeTime, func() bool { return strings.Contains(d.log.after(said), line) }) {
		w.fault(unsaid, "the log does not say that the disk is too full to compact")
	}
	b.recovers(d, w.t) // although there is no room
	if n := strings.Count(d.log.after(said), line); n != 1 {
		w.fault(wrong, "the log says %d times that the disk is too full to compact", n)
	}
	return os.Remove(filler)
}
