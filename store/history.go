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

// Watched says that the scheduler watches its providers; see [Store.Watch].
type Watched struct {
	Wall   time.Time     // the wall clock now
	Seen   time.Duration // how much of the time since the last call the providers were watched
	Missed time.Duration // how much of it they were not: the machine slept, or the daemon was held up
	Jumped time.Duration // by how much the wall clock was set in that time
}

// Watch records that time has passed, in which each provider had the state that its row had.
// Time that nobody reports here is unknown. The first call begins it. It does not wait.
func (s *Store) Watch(w Watched) {
	if s.ledger.watch(time.Now(), w) {
		s.wake()
	}
}

// Probed records a probe of a provider: whether it saw no problem, and the latency of its
// answer, 0 if there was none. It does not wait, and ignores an id that is not configured.
func (s *Store) Probed(id string, ok bool, latency time.Duration) {
	s.ledger.probed(id, ok, latency)
}

// Hours returns the hours of a provider that begin in [from, until) and of which something is
// known, oldest first. The last one may be open: it has what is known so far. The provider
// need not be configured any more. It reads the disk, and waits a few seconds for it at most.
func (s *Store) Hours(id string, from, until time.Time) ([]rollup.Bucket, error) {
	return s.buckets(id, rollup.Hour, from, until)
}

// Days is like Hours, with days in UTC.
func (s *Store) Days(id string, from, until time.Time) ([]rollup.Bucket, error) {
	return s.buckets(id, rollup.Day, from, until)
}

// ProviderDays is a provider's history in days.
type ProviderDays struct {
	ID    string
	Days  []rollup.Bucket // oldest first, the last one may be open; without latencies
	Total rollup.Bucket   // of all of them, with latencies
}

// AllDays returns the days of all configured providers, in their order. What [Store.Days] says
// holds here too.
func (s *Store) AllDays(from, until time.Time) ([]ProviderDays, error) {
	all := make([]ProviderDays, 0, s.View().Len())
	view := s.View()
	err := s.readHistory(func(r *historyReader) error {
		for i := range view.Len() {
			id := view.At(i).Status.ID
			p := ProviderDays{ID: id, Total: rollup.Bucket{Time: rollup.Begin(from, rollup.Day), Step: rollup.Day}}
			for _, b := range r.buckets(id, rollup.Day, from, until) {
				p.Total.Merge(&b)
				b.Latency = rollup.Sketch{}
				p.Days = append(p.Days, b)
			}
			all = append(all, p)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// A Record is a provider's changes of state and reason, and when nobody watched.
type Record struct {
	// Changes are oldest first. The first one may be from before the time asked for: it says
	// what held then.
	Changes   []rollup.Change
	Unwatched []rollup.Span // oldest first; of all providers
}

// Changes returns a provider's changes since a time. Those of hearsay are not among them. It
// waits for the disk like Hours.
func (s *Store) Changes(id string, since time.Time) (Record, error) {
	var rec Record
	err := s.readHistory(func(r *historyReader) error {
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
	err := s.readHistory(func(r *historyReader) error {
		found = r.buckets(id, step, from, until)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// readHistory calls read in one transaction. After an error read may still be running: do not
// look at what it captured.
func (s *Store) readHistory(read func(*historyReader) error) error {
	f := s.file.Load()
	err := s.reads.Within(readWithin, "reading the history", func() error {
		return f.view(func(tx *bolt.Tx) error {
			r, err := newHistoryReader(tx, s)
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

// sayDamaged logs a damaged part of the history, but only once.
func (s *Store) sayDamaged(bucket, key []byte) {
	which := fmt.Sprintf("%s %x", bucket, key)
	s.mu.Lock()
	_, known := s.damaged[which]
	s.damaged[which] = struct{}{}
	s.mu.Unlock()
	if !known {
		s.log.Warn("a part of the history is damaged and left out", "path", s.path, "which", which)
	}
}
