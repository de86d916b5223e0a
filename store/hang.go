package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/providerd/providerd/store/underway"
)

// A disk that does not answer must hold up only those who need it. Commits have a
// goroutine of their own; everybody else waits for the file only so long.
const (
	readWithin  = 5 * time.Second // less than the control socket allows a reply
	copyWithin  = 30 * time.Second
	closeWithin = 10 * time.Second
	mostReads   = 16 // that may hang at once: each takes a thread
)

// hanging is what has waited for the disk the longest.
func (s *Store) hanging() (what string, age time.Duration) {
	what, age = s.commits.Oldest()
	if read, longer := s.reads.Oldest(); longer > age {
		return read, longer
	}
	return what, age
}

// closeWithin closes the database. Its error says what is lost if the disk does not
// answer.
func (s *Store) closeWithin(limit time.Duration) error {
	var closing underway.Work
	err := closing.Within(limit, "closing "+s.path, s.close)
	var hang *underway.HangError
	if !errors.As(err, &hang) {
		return err
	}
	if what, age := s.commits.Oldest(); age > hang.For {
		err = &underway.HangError{What: what, For: age}
	}
	events, rows := s.unsaved()
	return fmt.Errorf("%w; not saved: %s and %s", err, numbered(events, "event"), numbered(rows, "changed row"))
}

// unsaved counts the events and rows that are newer than the disk.
func (s *Store) unsaved() (events, rows int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := make(map[*cell]struct{}, len(s.dirty))
	for c := range s.dirty {
		changed[c] = struct{}{}
	}
	for _, g := range []*group{s.pending, s.inFlight} {
		if g == nil {
			continue
		}
		events += len(g.changes)
		for c := range g.rows {
			changed[c] = struct{}{}
		}
	}
	return events, len(changed)
}

func numbered(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
