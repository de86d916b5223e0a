//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"time"

	"github.com/providerd/providerd/store/provider"
)

const (
	imageProviders = 40
	imageEvents    = 240
)

// A truth is a database, and the answers of a daemon from it.
type truth struct {
	server     *flipper // of the providers, while this program runs; another address would make other providers
	file       []byte
	events     map[uint64]provider.Event
	oldest     uint64
	newest     uint64
	rows       map[string]provider.Status
	generation uint64
}

// image starts a daemon with a damaged database.
func image(b *bench, t *try) error {
	if b.truth == nil {
		made, err := b.makeTruth(t.dir)
		if err != nil {
			return err
		}
		b.truth = made
	}
	truth := b.truth
	dir := filepath.Join(t.dir, "damaged")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	d, err := b.newDaemon(dir, watching(imageProviders, truth.server.URL))
	if err != nil {
		return err
	}
	defer d.kill()
	if err := os.MkdirAll(d.state, 0o700); err != nil {
		return err
	}
	damaged, what := damage(bytes.Clone(truth.file), b.random)
	if err := os.WriteFile(d.database(), damaged, 0o600); err != nil {
		return err
	}
	before := len(t.report)
	if err := truth.compare(b, d, t); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	for i := before; i < len(t.report); i++ {
		t.report[i] += " (" + what + ")"
	}
	if len(t.report) > before && b.keep {
		_ = os.WriteFile(filepath.Join(dir, "damaged.db"), damaged, 0o600)
		_ = os.WriteFile(filepath.Join(dir, "whole.db"), truth.file, 0o600)
	}
	return d.term()
}

// damage damages a file in one way, and says which.
func damage(file []byte, random *rand.Rand) ([]byte, string) {
	const page, sector = 4096, 512
	pages := len(file) / page
	at := func(n int) []byte { return file[n*page : (n+1)*page] }
	one, other := random.IntN(pages), random.IntN(pages)
	switch random.IntN(10) {
	case 0, 1, 2, 3:
		where := random.IntN(len(file) * 8)
		file[where/8] ^= 1 << (where % 8)
		return file, fmt.Sprintf("bit %d of byte %d", where%8, where/8)
	case 4:
		for range 8 {
			where := random.IntN(len(file) * 8)
			file[where/8] ^= 1 << (where % 8)
		}
		return file, "eight bits anywhere"
	case 5:
		where := random.IntN(len(file)/sector) * sector
		clear(file[where : where+sector])
		return file, fmt.Sprintf("a sector of zeros at %d", where)
	case 6:
		size := random.IntN(len(file))
		return file[:size], fmt.Sprintf("truncated to %d of %d bytes", size, len(file))
	case 7:
		copy(at(one), bytes.Clone(at(other)))
		return file, fmt.Sprintf("page %d over page %d", other, one)
	case 8:
		kept := bytes.Clone(at(one))
		copy(at(one), at(other))
		copy(at(other), kept)
		return file, fmt.Sprintf("pages %d and %d swapped", one, other)
	default:
		for i := range at(one) {
			at(one)[i] = byte(random.Uint32())
		}
		return file, fmt.Sprintf("noise in page %d", one)
	}
}

// makeTruth lets a daemon work until there are enough events, pauses all providers so that
// their rows stay the same, and reads everything.
func (b *bench) makeTruth(parent string) (*truth, error) {
	dir := filepath.Join(parent, "whole")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	server := flipping()
	d, err := b.newDaemon(dir, watching(imageProviders, server.URL))
	if err != nil {
		return nil, err
	}
	defer d.kill()
	if err := d.start(b); err != nil {
		return nil, err
	}
	var refresh provider.RefreshReply
	if !d.until(b, time.Minute, func() bool {
		_, err := d.do("POST", "/api/providers/refresh", &refresh)
		return err == nil && d.health().seq >= imageEvents
	}) {
		return nil, fmt.Errorf("not %d events in a minute", imageEvents)
	}
	if err := d.pauseAll(imageProviders); err != nil {
		return nil, err
	}
	if err := d.term(); err != nil {
		return nil, err
	}
	server.steady.Store(true)
	made := &truth{server: server, generation: refresh.Generation}
	if made.file, err = os.ReadFile(d.database()); err != nil {
		return nil, err
	}
	if err := d.start(b); err != nil {
		return nil, err
	}
	made.events, made.rows, err = d.everything()
	for seq := range made.events {
		made.newest = max(made.newest, seq)
		if made.oldest == 0 || seq < made.oldest {
			made.oldest = seq
		}
	}
	return made, errors.Join(err, d.term())
}

// pauseAll pauses the providers concurrently, because each pause waits for a commit.
func (d *daemon) pauseAll(providers int) error {
	failed := make([]error, providers)
	var all sync.WaitGroup
	for i := range providers {
		all.Go(func() {
			status, err := d.do("POST", fmt.Sprintf("/api/providers/p%d/pause", i), nil)
			if err == nil && status != 200 {
				err = fmt.Errorf("pause p%d: status %d", i, status)
			}
			failed[i] = err
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// everything is all events, and the part of each row that does not depend on the time.
func (d *daemon) everything() (map[uint64]provider.Event, map[string]provider.Status, error) {
	events, rows := map[uint64]provider.Event{}, map[string]provider.Status{}
	err := d.events("", func(h heard) {
		if !h.gap {
			events[h.Seq] = h.Event
		}
	})
	var reply provider.StatusReply
	_, asked := d.get("/api/providers/status", &reply)
	for _, row := range reply.Providers {
		rows[row.ID] = lasting(row)
	}
	return events, rows, errors.Join(err, asked)
}

func lasting(row provider.Status) provider.Status {
	return provider.Status{
		ID: row.ID, State: row.State, Reason: row.Reason, Detail: row.Detail, Since: row.Since,
		LastOKAt: row.LastOKAt, LastError: row.LastError, RetryAt: row.RetryAt, Paused: row.Paused,
	}
}

// compare starts a daemon on a damaged file: each of its answers must be the true one, or
// absent and reported.
func (truth *truth) compare(b *bench, d *daemon, t *try) error {
	if err := d.start(b); err != nil {
		return err
	}
	events, rows, err := d.everything()
	if err != nil {
		return err
	}
	absent := 0
	for id, is := range rows {
		was := truth.rows[id]
		switch {
		case !is.Paused, is.State == provider.StateUnknown && is.Since.IsZero(): // lost, except for the pause
			absent++
		case !reflect.DeepEqual(is, was):
			t.fault(wrong, "row %s is %+v, was %+v", id, is, was)
		}
	}
	for seq, is := range events {
		if was, ok := truth.events[seq]; ok && !reflect.DeepEqual(is, was) {
			t.fault(wrong, "event %d is %+v, was %+v", seq, is, was)
		}
	}
	told := truth.resume(d, t)
	if absent > 0 || told {
		if t.told++; !d.log.warned(0) {
			t.fault(unsaid, "%d rows are lost, events are gone: %t, but the log does not say so", absent, told)
		}
	}
	return truth.goesOn(b, d, t)
}

// resume reads the events after some that were seen, and reports whether the daemon says that
// any are gone.
func (truth *truth) resume(d *daemon, t *try) (told bool) {
	for since := truth.oldest; since <= truth.newest; since += 1 + (truth.newest-truth.oldest)/8 {
		next, gap := since, false
		err := d.events(fmt.Sprintf("?since=%d", since), func(h heard) {
			if h.gap {
				gap, told = true, true
				return
			}
			if next++; h.Seq != next && !gap {
				t.fault(lost, "after event %d comes %d", next-1, h.Seq)
			}
			next = h.Seq
		})
		switch {
		case errors.Is(err, errGone):
			told = true
		case err != nil:
			t.fault(stuck, "events since %d: %v", since, err)
		case next < truth.newest && !gap:
			t.fault(lost, "the events after %d end with %d, of %d", since, next, truth.newest)
		}
	}
	return told
}

// goesOn makes something new happen, with numbers beyond all that were given.
func (truth *truth) goesOn(b *bench, d *daemon, t *try) error {
	var reply provider.RefreshReply
	if _, err := d.do("POST", "/api/providers/refresh", &reply); err != nil {
		return err
	}
	if reply.Generation <= truth.generation {
		t.fault(wrong, "a refresh has number %d after %d", reply.Generation, truth.generation)
	}
	if status, err := d.do("POST", "/api/providers/p0/resume", nil); err != nil || status != 200 {
		return errors.Join(err, fmt.Errorf("resume: status %d", status))
	}
	var newest uint64
	if !d.until(b, recoverTime, func() bool { // p0 works now, which is an event unless it already did
		newest = d.health().seq
		return newest > truth.newest
	}) {
		t.fault(stuck, "the events end with %d: %s", newest, d.log.last())
	}
	return nil
}
