package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"sort"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/provider"
)

// recentEvents is the minimum number of events kept in memory.
const recentEvents = 1024

// A journal is the events published up to one moment. It never changes. Successive
// journals share the array behind recent: a newer one writes only beyond the end of the
// older ones.
type journal struct {
	oldest, newest uint64 // seq; oldest is newest+1 if no event is kept
	recent         []provider.Event
	next           chan struct{} // closed when newer events are published
}

func newJournal(found *contents) *journal {
	return &journal{found.oldest, found.newest, found.recent, make(chan struct{})}
}

func (j *journal) extended(events []provider.Event, oldest, newest uint64) *journal {
	recent := append(j.recent, events...)
	recent = recent[indexOf(recent, oldest):]
	if len(recent) > 2*recentEvents {
		recent = slices.Clone(recent[len(recent)-recentEvents:])
	}
	return &journal{oldest, newest, recent, make(chan struct{})}
}

// run returns at most limit kept events from first up to the next gap, and the seq after
// that gap. There are none if a gap begins at first. ok is false for events that are
// older than those in memory.
func (j *journal) run(first uint64, limit int) (events []provider.Event, next uint64, ok bool) {
	if len(j.recent) == 0 || first < j.recent[0].Seq {
		return nil, 0, false
	}
	i := indexOf(j.recent, first)
	n := i
	for n < len(j.recent) && n-i < limit && j.recent[n].Seq == first+uint64(n-i) {
		n++
	}
	next = j.newest + 1
	if n < len(j.recent) {
		next = j.recent[n].Seq
	}
	return j.recent[i:n], next, true
}

func indexOf(events []provider.Event, seq uint64) int {
	return sort.Search(len(events), func(i int) bool { return events[i].Seq >= seq })
}

// NextEvents returns a channel that is closed when events are next published, and
// when the store is closed. Take it before reading events.
func (s *Store) NextEvents() <-chan struct{} { return s.journal.Load().next }

// A GapError means that events are missing between others, because the database was
// damaged. It wraps a [*provider.Error] with code events_gone.
type GapError struct {
	provider.Gap
	err *provider.Error
}

func newGapError(gap provider.Gap) *GapError {
	return &GapError{gap, provider.Errorf(provider.EventsGone,
		fmt.Sprintf("continue after them: providerctl events --since %d", gap.Last),
		"%s: gone, because the database was damaged", gap)}
}

func (e *GapError) Error() string { return e.err.Error() }
func (e *GapError) Unwrap() error { return e.err }

// Events returns at most limit (0 or less: all) published events after seq since, oldest
// first, without a gap between them. With since 0 it begins at the oldest kept event. If
// events after since are no longer kept, or since is higher than any seq so far, the
// error is a [*provider.Error] with code events_gone. If the next event is damaged, the
// error is a [*GapError]; its Last is the since for the events after the gap. The newest
// thousand events come from memory, older ones from the disk.
func (s *Store) Events(since uint64, limit int) ([]provider.Event, error) {
	j := s.journal.Load()
	if since > j.newest || since > 0 && since+1 < j.oldest {
		return nil, gone(since, j.oldest, j.newest)
	}
	first := max(since+1, j.oldest)
	if first > j.newest {
		return nil, nil
	}
	if limit <= 0 {
		limit = int(j.newest - first + 1)
	}
	events, next, ok := j.run(first, limit)
	if ok && len(events) > 0 {
		return slices.Clone(events), nil
	}
	if !ok {
		var err error
		if events, next, err = s.readRun(first, j.newest, limit); err != nil {
			return nil, provider.Errorf(provider.StoreFailing, "ask again in a moment; see: providerctl health", "%v", err)
		}
		if len(events) > 0 {
			return events, nil
		}
		if now := s.journal.Load(); first < now.oldest { // trimmed since we looked
			if since == 0 {
				return s.Events(0, limit)
			}
			return nil, gone(since, now.oldest, now.newest)
		}
	}
	gap := provider.Gap{First: first, Last: next - 1}
	s.noticeGap(gap)
	return nil, newGapError(gap)
}

func gone(since, oldest, newest uint64) *provider.Error {
	hint := "start at the oldest kept event: providerctl events"
	switch {
	case newest == 0:
		return provider.Errorf(provider.EventsGone, hint, "there is no event %d: this database has no events yet", since)
	case since > newest:
		return provider.Errorf(provider.EventsGone, hint,
			"there is no event %d yet: the newest is %d (this is not the database that you read before)", since, newest)
	case oldest > newest:
		return provider.Errorf(provider.EventsGone, hint, "the events after %d are gone", since)
	}
	return provider.Errorf(provider.EventsGone,
		fmt.Sprintf("continue with the oldest kept event: providerctl events --since %d", oldest-1),
		"the events after %d are gone: the oldest kept is %d, the newest %d", since, oldest, newest)
}

// A Past is a provider's known history.
type Past struct {
	Events []provider.Event // oldest first
	Gaps   []provider.Gap   // in the events of all providers
}

// EventsOf returns every kept event that concerns a provider, which need not be
// configured any more. It reads the disk; if that cannot be read, it returns the newest
// events, from memory.
func (s *Store) EventsOf(id string) (Past, error) {
	var past Past
	j := s.journal.Load()
	quoted, err := json.Marshal(id)
	if err != nil {
		return past, fmt.Errorf("events of %q: %w", id, err)
	}
	err = s.eachEvent(j.oldest, j.newest, func(found found) bool {
		switch {
		case found.text == nil:
			past.Gaps = append(past.Gaps, found.Gap)
			return true
		case !bytes.Contains(found.text, quoted): // saves decoding the events of all others
			return true
		}
		if event, err := decodeEvent(found.Last, found.text); err != nil {
			past.Gaps = append(past.Gaps, found.Gap)
		} else if event.Concerns(id) {
			past.Events = append(past.Events, event)
		}
		return true
	})
	if err != nil {
		s.log.Debug("older events cannot be read: returning the newest ones", "id", id, "error", err)
		return j.past(id), nil
	}
	if now := s.journal.Load(); now.oldest > j.oldest { // trimmed since we looked: no gap
		past.Gaps = slices.DeleteFunc(past.Gaps, func(gap provider.Gap) bool { return gap.First < now.oldest })
	}
	for _, gap := range past.Gaps {
		s.noticeGap(gap)
	}
	return past, nil
}

// past is a provider's history in memory.
func (j *journal) past(id string) (past Past) {
	for i, e := range j.recent {
		if i > 0 && e.Seq > j.recent[i-1].Seq+1 {
			past.Gaps = append(past.Gaps, provider.Gap{First: j.recent[i-1].Seq + 1, Last: e.Seq - 1})
		}
		if e.Concerns(id) {
			past.Events = append(past.Events, e)
		}
	}
	return past
}

// readRun returns at most limit events from the disk, from first up to the next gap, or
// the seq after the gap if one begins at first.
func (s *Store) readRun(first, last uint64, limit int) ([]provider.Event, uint64, error) {
	var events []provider.Event
	next := uint64(0) // after the gap
	err := s.eachEvent(first, last, func(found found) bool {
		var event provider.Event
		readable := found.text != nil
		if readable {
			var bad error
			event, bad = decodeEvent(found.Last, found.text)
			readable = bad == nil
		}
		switch {
		case readable && next == 0:
			events = append(events, event)
			return len(events) < limit
		case !readable && len(events) == 0:
			next = found.Last + 1
			return true
		}
		return false
	})
	if err != nil {
		return nil, 0, err
	}
	return events, next, nil
}

// eachEvent calls visit for each event and gap on the disk from first to last, in one
// transaction, until visit returns false. A damaged event is treated as a damaged file,
// and becomes a gap in the new file. After an error visit may still be running: do not
// look at what it wrote.
func (s *Store) eachEvent(first, last uint64, visit func(found) bool) error {
	f := s.file.Load()
	err := s.reads.Within(readWithin, "reading events", func() error {
		return f.view(func(tx *bolt.Tx) error {
			for found := range eventsIn(tx.Bucket(eventsBucket()), first, last) {
				if found.damaged != nil {
					return &corruptError{found.damaged}
				}
				if !visit(found) {
					break
				}
			}
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("read events from %s: %w", s.path, err)
	}
	return nil
}

// A found is an event on the disk, with the seq Last, or a gap.
type found struct {
	provider.Gap
	text    []byte // of the event, valid during the transaction; nil: a gap
	damaged error  // the gap is due to a damaged event
}

// eventsIn yields the intact events from first to last, and the gaps between them.
func eventsIn(events *bolt.Bucket, first, last uint64) iter.Seq[found] {
	return func(yield func(found) bool) {
		next, c := first, events.Cursor()
		var damaged error
		for key, value := c.Seek(seqKey(first)); key != nil; key, value = c.Next() {
			seq, ok := seqOf(key)
			if ok && seq > last {
				break // committed, and not yet published
			}
			text, err := unseal(eventsBucket(), key, value)
			if !ok || err != nil {
				damaged = fmt.Errorf("event %x: %w", key, errDamaged)
				continue
			}
			if seq > next && !yield(found{Gap: provider.Gap{First: next, Last: seq - 1}, damaged: damaged}) {
				return
			}
			if !yield(found{Gap: provider.Gap{First: seq, Last: seq}, text: text}) {
				return
			}
			next, damaged = seq+1, nil
		}
		if next <= last {
			yield(found{Gap: provider.Gap{First: next, Last: last}, damaged: damaged})
		}
	}
}

// noticeGap logs a gap, but only once.
func (s *Store) noticeGap(gap provider.Gap) {
	s.mu.Lock()
	_, known := s.gaps[gap.Last]
	s.gaps[gap.Last] = struct{}{}
	s.mu.Unlock()
	if !known {
		sayGaps(s.log, s.path, gap)
	}
}
