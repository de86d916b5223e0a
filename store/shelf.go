package store

import (
	"sync"
	"time"
)

const (
	// maxListings limits the listings of a table. Readers can be slow, and there must
	// not be as many listings as slow readers.
	maxListings = 2

	// keepListing is how long an unused listing is kept.
	keepListing = time.Minute
)

// A shelf keeps the unused listings of a table.
type shelf struct {
	mu     sync.Mutex
	made   int         // how many exist, including those in use
	idle   []*Listing  // in the order in which they were put back
	timer  *time.Timer // expires idle listings; nil: not set
	closed bool
}

// take returns a listing, or nil; then ok is whether the caller may make one.
func (s *shelf) take() (l *Listing, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.idle) - 1; last >= 0 {
		l, s.idle[last] = s.idle[last], nil
		s.idle = s.idle[:last]
		return l, true
	}
	if s.made == maxListings {
		return nil, false
	}
	s.made++
	return nil, true
}

// put keeps a listing that was taken or made.
func (s *shelf) put(l *Listing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	l.freed = time.Now()
	s.idle = append(s.idle, l)
	if s.timer == nil {
		s.timer = time.AfterFunc(keepListing, s.expire)
	}
}

// expire drops listings that have not been used for keepListing.
func (s *shelf) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.idle) > 0 {
		left := keepListing - time.Since(s.idle[0].freed)
		if left > 0 {
			s.timer.Reset(left)
			return
		}
		s.idle[0] = nil
		s.idle = s.idle[1:]
		s.made--
	}
	s.timer = nil
}

// close drops all listings, and those in use when they are put back: the table is no
// longer the current one.
func (s *shelf) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.idle = true, nil
	if s.timer != nil {
		s.timer.Stop()
	}
}
