package store

import (
	"math"
	"slices"
	"time"
)

// timeRoom is about how much of a row depends on the time of asking, in bytes.
const timeRoom = len(`,"age_ms":12345,"stale":false},`)

// A segment is the text of some rows that follow one another in a table.
type segment struct {
	cells  []*cell
	places []place  // of the cells' rows
	ttls   []int64  // of the rows, in ms
	ttl    int64    // the smallest of them
	began  [2]int64 // the earliest of the places, by either clock
	room   int      // how many bytes are before the first row; not 0 in a table's first segment
	size   int      // about how long text will be
	text   []byte   // room, each row, after a comma if it is not the table's first, and perhaps a foot
}

// A place is where a row stands in its segment's text, and for which ages it may
// stand there as it is, but for their digits. It does not lead to the row, which
// would have to stay in memory for as long as the text.
type place struct {
	began        int64  // its probe, in ns since Listing.made; or unknown
	least, limit int64  // the ages, in ns, from the one up to the other
	edition      uint32 // of the row's cell; 0: the row was about to be replaced
	age, end     uint32 // where in text the digits of the age begin, and where the row ends
	digits       uint8  // 0: never checked
	clock        uint8  // by which the probe's beginning is known
}

// The clocks. Rows that were restored have only the time of the wall's.
const (
	monotonic = iota
	wall
)

const (
	// unknown is when a probe began that never did, or not within a lifetime.
	unknown  = math.MinInt64
	lifetime = 100 * 365 * 24 * time.Hour
)

func newSegment(cells []*cell, room, size int) segment {
	return segment{
		cells: cells, places: make([]place, len(cells)), ttls: make([]int64, len(cells)),
		room: room, size: size, text: make([]byte, room),
	}
}

// end is where the last row ends.
func (s *segment) end() int { return s.start(len(s.places)) }

// start is where the i-th row, or the comma before it, begins.
func (s *segment) start(i int) int {
	if i == 0 {
		return s.room
	}
	return int(s.places[i-1].end)
}

// update brings the text up to date: it writes ages over ages, and, from the first
// row on that is newer, or has another length by now, the text anew.
func (s *segment) update(l *Listing) {
	for i := range s.places {
		age, ok := s.holds(i, l)
		if !ok {
			l.spare = s.rewrite(i, l)
			return
		}
		s.places[i].date(s.text, age)
	}
}

// holds returns the age of the i-th row, and whether that is all in which the row
// differs from its text.
func (s *segment) holds(i int, l *Listing) (age time.Duration, ok bool) {
	p, c := &s.places[i], s.cells[i]
	age = l.elapsed[p.clock&1] - time.Duration(p.began)
	return age, c.edition.Load() == p.edition && int64(age) >= p.least && int64(age) < p.limit
}

// rewrite writes the rows from the first that changed, and returns the buffer that
// is no longer in use. Rows that hold are copied from where they are, as many at a
// time as there are between two that changed.
func (s *segment) rewrite(first int, l *Listing) (old []byte) {
	old = s.text
	s.text = slices.Grow(l.spare[:0], max(s.size, len(old)))
	copied, from, moved := 0, s.start(first), uint32(0) // in old, and how much further the next row is now
	for i := first; i < len(s.places); i++ {
		p := &s.places[i]
		to := int(p.end)
		if age, ok := s.holds(i, l); ok {
			p.date(old, age)
			p.age, p.end = p.age+moved, p.end+moved
		} else {
			s.text = append(s.text, old[copied:from]...)
			s.write(i, l)
			copied, moved = to, s.places[i].end-uint32(to) // which wraps around where it is less
		}
		from = to
	}
	s.text = append(s.text, old[copied:from]...)
	s.ttl, s.began = slices.Min(s.ttls), [2]int64{math.MaxInt64, math.MaxInt64}
	for i := range s.places {
		p := &s.places[i]
		s.began[p.clock] = min(s.began[p.clock], p.began)
	}
	return old
}

// write appends the i-th row.
func (s *segment) write(i int, l *Listing) {
	c := s.cells[i]
	edition := c.edition.Load() // before the row: one that is newer is seen the next time
	row := c.row.Load()
	age, stale := row.clock.read(l.now)
	if s.room == 0 || i > 0 {
		s.text = append(s.text, ',')
	}
	s.text = append(s.text, row.fields()...)
	digits := len(s.text) + len(ageField)
	s.text = row.clock.appendAge(s.text, age)
	p := place{age: uint32(digits), digits: uint8(max(0, len(s.text)-digits))}
	s.text = appendStale(s.text, stale)
	p.end = uint32(len(s.text))
	if edition%2 == 0 {
		p.edition = edition
	}
	p.bound(&row.clock, l.made, stale)
	s.places[i], s.ttls[i] = p, row.clock.ttl
}

// bound notes when the row's probe began, and the ages that have as many digits
// and are as stale.
func (p *place) bound(c *clock, made time.Time, stale bool) {
	p.began, p.least, p.limit = unknown, math.MinInt64, math.MaxInt64
	if c.checked.IsZero() {
		return
	}
	began := c.checked.Sub(made)
	if began < -lifetime || began > lifetime { // a clock was wrong: too long for an int64
		p.least = math.MaxInt64
		return
	}
	if p.began = int64(began); c.checked == c.checked.Round(0) { // which takes away the monotonic time
		p.clock = wall
	}
	power := int64(time.Millisecond)
	for range p.digits - 1 {
		power *= 10
	}
	if p.digits > 1 {
		p.least = power
	}
	if power <= math.MaxInt64/10 {
		p.limit = power * 10
	}
	if c.alwaysStale {
		return
	}
	if old := c.ttl*int64(time.Millisecond) + 1; stale {
		p.least = max(p.least, old)
	} else {
		p.limit = min(p.limit, old)
	}
}

// date writes an age over the one that stands in text, which has as many digits.
func (p *place) date(text []byte, age time.Duration) {
	digits := text[p.age : p.age+uint32(p.digits)]
	n := uint64(max(0, age)) / uint64(time.Millisecond)
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = byte('0' + n%10)
		n /= 10
	}
}
