package store

import (
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/rollup"
)

// How long a history is kept.
const (
	KeepHours   = 14 * rollup.Day
	KeepDays    = 400 * rollup.Day
	mostChanges = 10_000 // of one provider
)

// Watched is a report of the scheduler that it watches its providers; see [Store.Watch].
type Watched struct {
	Wall   time.Time     // the wall clock now
	Seen   time.Duration // how much of the time since the last call the providers were watched
	Missed time.Duration // how much of it they were not, because the machine slept or the daemon was held up
	Jumped time.Duration // by how much the wall clock was set in that time
}

// Watch records that time has passed in which each provider had the state in its row. Time that
// is not reported here is unknown. The first call only begins it. Watch does not wait.
func (s *Store) Watch(w Watched) {
	if s.ledger.watch(time.Now(), w) {
		s.wake()
	}
}

// Probed records a probe of a provider: whether it saw no problem, and the latency of its
// answer, 0 if there was none. It ignores an id that is not configured, and does not wait.
func (s *Store) Probed(id string, ok bool, latency time.Duration) {
	s.ledger.probed(id, ok, latency)
}

// Hours returns the hours of a provider that begin in [from, until), oldest first, without
// those of which nothing is known. The last one can be open, and has what is known so far. The
// provider need not be configured any more. Hours waits for the disk, a few seconds at most.
func (s *Store) Hours(id string, from, until time.Time) ([]rollup.Bucket, error) {
	return s.buckets(id, rollup.Hour, from, until)
}

// Days is like Hours, with days in UTC.
func (s *Store) Days(id string, from, until time.Time) ([]rollup.Bucket, error) {
	return s.buckets(id, rollup.Day, from, until)
}

// A Record is a provider's changes of state and reason, and when nobody watched.
type Record struct {
	// Changes are oldest first. The first one can be earlier than the time that was asked for:
	// it has the state at its beginning.
	Changes   []rollup.Change
	Unwatched []rollup.Span // oldest first; of all providers
}

// Changes returns a provider's changes since a time, without those by hearsay. It waits for the
// disk as Hours does.
func (s *Store) Changes(id string, since time.Time) (Record, error) {
	var rec Record
	err := s.readHistory([]string{id}, func(r *historyReader) error {
		rec = r.record(id, since)
		return nil
	})
	if err != nil {
		return Record{}, err
	}
	return rec, nil
}

func (s *Store) buckets(id string, step time.Duration, from, until time.Time) ([]rollup.Bucket, error) {
	var found []rollup.Bucket
	err := s.readHistory([]string{id}, func(r *historyReader) error {
		found = r.buckets(id, step, from, until)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// readHistory calls read in one transaction, for the providers with the ids. After an error read may still be running: do not
// look at what it captured.
func (s *Store) readHistory(ids []string, read func(*historyReader) error) error {
	now := time.Now()
	newer := s.ledger.unwritten(ids, now)
	f := s.file.Load()
	err := s.reads.Within(readWithin, "reading the history", func() error {
		return f.view(func(tx *bolt.Tx) error {
			r, err := newHistoryReader(tx, s, newer, now)
			if err != nil {
				return err
			}
			return read(r)
		})
	})
	if err != nil {
		return fmt.Errorf("read the history from %s: %w", s.path, err)
	}
	return nil
}

// sayDamaged logs a damaged part of the history, each part once.
func (s *Store) sayDamaged(bucket, key []byte) {
	which := fmt.Sprintf("%s %x", bucket, key)
	s.mu.Lock()
	_, known := s.damaged[which]
	s.damaged[which] = struct{}{}
	s.mu.Unlock()
	if !known {
		s.log.Warn("a damaged part of the history is left out", "path", s.path, "which", which)
	}
}
