package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/provider"
)

// recentEvents is how many events are answered from memory, at least.
const recentEvents = 1024

// A journal is the events that were published up to one moment. It never
// changes. Journals that follow each other share the array behind recent: a newer
// one writes only where the older ones do not look.
type journal struct {
	oldest, newest uint64 // seq; oldest is newest+1 when no event is kept
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

// from returns the index in recent of the first event at or after seq, and
// whether no older event is missing from there.
func (j *journal) from(seq uint64) (int, bool) {
	i := indexOf(j.recent, seq)
	return i, i > 0 || len(j.recent) > 0 && j.recent[0].Seq == seq
}

func indexOf(events []provider.Event, seq uint64) int {
	return sort.Search(len(events), func(i int) bool { return events[i].Seq >= seq })
}

// NextEvents returns a channel that is closed when events are next published, and
// when the store is closed. Take it before reading events.
func (s *Store) NextEvents() <-chan struct{} { return s.journal.Load().next }

// Events returns published events after seq since, oldest first, at most limit of
// them (0 or less: all). With since 0 it begins at the oldest that is kept. When
// events after since are no longer kept, or since is yet to come, the error is a
// [*provider.Error] with code events_gone. The newest thousand come from memory,
// older ones from the disk.
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
	if i, ok := j.from(first); ok {
		return slices.Clone(j.recent[i:min(len(j.recent), i+limit)]), nil
	}
	found, err := s.readEvents(first, j.newest, limit, nil)
	if err != nil {
		return nil, provider.Errorf(provider.StoreFailing, "ask again in a moment; see: providerctl health", "%v", err)
	}
	if since > 0 && found.oldest > first { // trimmed since we looked, or lost
		j = s.journal.Load()
		return nil, gone(since, j.oldest, j.newest)
	}
	return found.events, nil
}

func gone(since, oldest, newest uint64) *provider.Error {
	hint := "begin at the oldest that is kept: providerctl events"
	switch {
	case newest == 0:
		return provider.Errorf(provider.EventsGone, hint, "there is no event %d: this database has no events yet", since)
	case since > newest:
		return provider.Errorf(provider.EventsGone, hint,
			"there is no event %d yet: the newest is %d (the database is not the one that you read before)", since, newest)
	case oldest > newest:
		return provider.Errorf(provider.EventsGone, hint, "the events after %d are gone", since)
	}
	return provider.Errorf(provider.EventsGone,
		fmt.Sprintf("go on with the oldest that is kept: providerctl events --since %d", oldest-1),
		"the events after %d are gone: the oldest that is kept is %d, the newest %d", since, oldest, newest)
}

// EventsOf returns every kept event that concerns a provider, oldest first. It reads
// the disk, but for a moment in which that cannot be read: then it tells the newest,
// from memory. The provider need not be configured any more. Where events were lost
// to damage, an event without a number says that from then on nothing is known.
func (s *Store) EventsOf(id string) ([]provider.Event, error) {
	j := s.journal.Load()
	quoted, err := json.Marshal(id)
	if err != nil {
		return nil, fmt.Errorf("events of %q: %w", id, err)
	}
	// Comparing bytes first spares decoding the events of all others.
	found, err := s.readEvents(1, j.newest, math.MaxInt, quoted)
	if err != nil {
		s.log.Debug("older events cannot be read: telling the newest", "id", id, "error", err)
		found = &stored{events: slices.Clone(j.recent)}
	}
	var events []provider.Event
	for _, e := range found.events {
		switch last := len(events) - 1; {
		case e.Seq == 0: // a gap
			if last >= 0 && events[last].To != provider.StateUnknown {
				e.ID, e.From = id, events[last].To
				events = append(events, e)
			}
		case e.Concerns(id):
			events = append(events, e)
		}
	}
	return events, nil
}

// stored is events as they are on the disk.
type stored struct {
	oldest uint64 // seq of the first that was looked at
	events []provider.Event
}

// readEvents reads events with first ≤ seq ≤ last whose text contains part, and
// puts an event without a number where seqs are missing between them. An event that
// cannot be read is damage like any other.
func (s *Store) readEvents(first, last uint64, limit int, part []byte) (*stored, error) {
	var found *stored
	err := s.reads.Within(readWithin, "reading events", func() (err error) {
		found, err = copyEvents(s.file.Load(), first, last, limit, part)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read events from %s: %w", s.path, err)
	}
	return found, nil
}

func copyEvents(f *file, first, last uint64, limit int, part []byte) (*stored, error) {
	found := new(stored)
	err := f.view(func(tx *bolt.Tx) error {
		c := tx.Bucket(eventsBucket()).Cursor()
		next := uint64(0)
		var before []byte // the text of the event before
		for key, value := c.Seek(seqKey(first)); key != nil && len(found.events) < limit; key, value = c.Next() {
			if len(key) != 8 {
				return &corruptError{fmt.Errorf("an event's key has %d bytes", len(key))}
			}
			seq := binary.BigEndian.Uint64(key)
			switch {
			case seq > last: // committed, and not yet published
				return nil
			case next == 0:
				found.oldest = seq
			case seq != next && part == nil: // the next read begins behind it
				return nil
			case seq != next:
				e, err := decodeEvent(seqKey(next-1), before)
				if err != nil {
					return &corruptError{err}
				}
				found.events = append(found.events, lost(next, seq-1, e.Time))
			}
			next, before = seq+1, value
			if !bytes.Contains(value, part) {
				continue
			}
			e, err := decodeEvent(key, value)
			if err != nil {
				return &corruptError{err}
			}
			found.events = append(found.events, e)
		}
		return nil
	})
	return found, err
}

// lost is an event that says that others are missing.
func lost(first, last uint64, at provider.Time) provider.Event {
	return provider.Event{
		Time: at, To: provider.StateUnknown, Reason: provider.NotChecked,
		Detail: fmt.Sprintf("events %d to %d are lost: the database was damaged", first, last),
	}
}
