package store

import (
	"iter"
	"time"
)

const (
	// HeadRoom is how many bytes the head of a [Listing] may have.
	HeadRoom = 256

	// segmentSize is roughly the size of a segment's text in bytes. Large pieces are
	// the fastest to send; but a segment is also what is copied when a row's length
	// changes.
	segmentSize = 512 << 10
)

// A Listing is the JSON of all rows as of one moment. Collecting thousands of rows
// from all over the memory takes longer than sending them. So a listing is kept after
// use, and the next request starts from its text and rewrites only what has changed.
// See docs/architecture.md.
//
// From [View.Listing] to [Listing.Free] a listing belongs to its caller alone.
type Listing struct {
	table    *table
	made     time.Time
	now      time.Time
	elapsed  [2]time.Duration // from made to now, by either clock
	segments []segment        // at least one
	spare    []byte           // a buffer for rewriting a segment's text
	freed    time.Time
}

// Listing returns the rows as of now, or nil while all listings are in use.
func (v View) Listing(now time.Time) *Listing {
	l, ok := v.table.shelf.take()
	if !ok {
		return nil
	}
	if l == nil {
		l = newListing(v.table, now)
	}
	l.now, l.elapsed = now, sinceMade(now, l.made)
	for i := range l.segments {
		l.segments[i].update(l)
	}
	return l
}

// newListing makes a listing with nothing in it yet.
func newListing(t *table, now time.Time) *Listing {
	l := &Listing{table: t, made: now}
	room, from, size := HeadRoom, 0, HeadRoom
	for i, c := range t.cells {
		size += len(c.row.Load().fields()) + timeRoom
		if size >= segmentSize {
			l.segments = append(l.segments, newSegment(t.cells[from:i+1], room, size))
			room, from, size = 0, i+1, 0
		}
	}
	if from < len(t.cells) || from == 0 {
		l.segments = append(l.segments, newSegment(t.cells[from:], room, size))
	}
	return l
}

// SmallestTTL is the smallest ttl_ms of the rows, 0 when there are none.
func (l *Listing) SmallestTTL() int64 {
	smallest := l.segments[0].ttl
	for i := range l.segments[1:] {
		smallest = min(smallest, l.segments[1+i].ttl)
	}
	return smallest
}

// BeganSince reports whether every row's probe is known to have begun at t or later.
func (l *Listing) BeganSince(t time.Time) bool {
	since := sinceMade(t, l.made)
	for i := range l.segments {
		for clock, began := range l.segments[i].began {
			if began == unknown || began < int64(since[clock]) {
				return false
			}
		}
	}
	return true
}

// sinceMade is the time from made to t by the monotonic clock and by the wall's.
func sinceMade(t, made time.Time) [2]time.Duration {
	return [2]time.Duration{monotonic: t.Sub(made), wall: t.Round(0).Sub(made)}
}

// Len is the size of the rows in bytes, with the commas between them.
func (l *Listing) Len() int {
	n := -HeadRoom
	for i := range l.segments {
		n += l.segments[i].end()
	}
	return n
}

// Pieces returns the rows, separated by commas, between a head of at most HeadRoom
// bytes and a foot. The pieces are the listing's own: each is valid until the
// listing is freed, and must not be changed.
func (l *Listing) Pieces(head []byte, foot string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := range l.segments {
			s := &l.segments[i]
			from := 0
			if i == 0 {
				from = HeadRoom - len(head)
				copy(s.text[from:], head)
			}
			s.text = s.text[:s.end()]
			if i == len(l.segments)-1 {
				s.text = append(s.text, foot...)
			}
			if !yield(s.text[from:]) {
				return
			}
		}
	}
}

// Free gives the listing back; its text must no longer be used.
func (l *Listing) Free() { l.table.shelf.put(l) }
