package store

import (
	"math"
	"slices"
	"time"
)

// timeRoom is roughly how many bytes of a row depend on the time of the request.
const timeRoom = len(`,"age_ms":12345,"stale":false},`)

// A segment is the text of some consecutive rows of a table.
type segment struct {
	cells   []*cell
	extents []extent // of the cells' rows
	ttls    []int64  // of the rows, in ms
	ttl     int64    // the smallest of them
	began   [2]int64 // the earliest of the extents, by either clock
	room    int      // bytes before the first row; 0 except in a table's first segment
	size    int      // roughly how long text will be
	text    []byte   // room bytes, the rows with their commas, and perhaps the table's end
}

// An extent is where a row is in its segment's text, and the range of ages for which
// only the digits of the age must be written anew. It does not point to the row,
// which would then stay in memory as long as the text.
type extent struct {
	began        int64  // when its probe began, in ns since Listing.made; or unknown
	least, limit int64  // the range of ages in ns, without limit
	edition      uint32 // of the row's cell; 0: the row was being replaced
	age, end     uint32 // where in text the digits of the age begin, and where the row ends
	digits       uint8  // of the age; 0: never checked
	clock        uint8  // the clock that began was read from
}

// The clocks. Restored rows have wall-clock time only.
const (
	monotonic = iota
	wall
)

const (
	// unknown stands for a probe that never began, or not within lifetime of now.
	unknown  = math.MinInt64
	lifetime = 100 * 365 * 24 * time.Hour
)

func newSegment(cells []*cell, room, size int) segment {
	return segment{
		cells: cells, extents: make([]extent, len(cells)), ttls: make([]int64, len(cells)),
		room: room, size: size, text: make([]byte, room),
	}
}

// end is where the last row ends.
func (s *segment) end() int { return s.start(len(s.extents)) }

// start is where the i-th row, or the comma before it, begins.
func (s *segment) start(i int) int {
	if i == 0 {
		return s.room
	}
	return int(s.extents[i-1].end)
}

// update brings the text up to date. It overwrites ages in place; from the first row
// that has changed, or whose age has more digits now, it writes the text anew.
func (s *segment) update(l *Listing) {
	for i := range s.extents {
		age, ok := s.holds(i, l)
		if !ok {
			l.spare = s.rewrite(i, l)
			return
		}
		s.extents[i].date(s.text, age)
	}
}

// holds returns the age of the i-th row, and whether nothing but that age differs
// from the text.
func (s *segment) holds(i int, l *Listing) (age time.Duration, ok bool) {
	p, c := &s.extents[i], s.cells[i]
	age = l.elapsed[p.clock&1] - time.Duration(p.began)
	return age, c.edition.Load() == p.edition && int64(age) >= p.least && int64(age) < p.limit
}

// rewrite writes the rows from the first that changed, and returns the buffer that
// is no longer in use. Unchanged rows are copied, all those between two changed ones
// at a time.
func (s *segment) rewrite(first int, l *Listing) (old []byte) {
	old = s.text
	s.text = slices.Grow(l.spare[:0], max(s.size, len(old)))
	copied, from, moved := 0, s.start(first), uint32(0) // offsets in old, and by how much the next row moves
	for i := first; i < len(s.extents); i++ {
		p := &s.extents[i]
		to := int(p.end)
		if age, ok := s.holds(i, l); ok {
			p.date(old, age)
			p.age, p.end = p.age+moved, p.end+moved
		} else {
			s.text = append(s.text, old[copied:from]...)
			s.write(i, l)
			copied, moved = to, s.extents[i].end-uint32(to) // wraps around where the row got shorter
		}
		from = to
	}
	s.text = append(s.text, old[copied:from]...)
	s.ttl, s.began = slices.Min(s.ttls), [2]int64{math.MaxInt64, math.MaxInt64}
	for i := range s.extents {
		p := &s.extents[i]
		s.began[p.clock] = min(s.began[p.clock], p.began)
	}
	return old
}

// write appends the i-th row.
func (s *segment) write(i int, l *Listing) {
	c := s.cells[i]
	edition := c.edition.Load() // before the row, so that a newer row is noticed the next time
	row := c.row.Load()
	age, stale := row.clock.read(l.now)
	if s.room == 0 || i > 0 {
		s.text = append(s.text, ',')
	}
	s.text = append(s.text, row.fields()...)
	digits := len(s.text) + len(ageField)
	s.text = row.clock.appendAge(s.text, age)
	p := extent{age: uint32(digits), digits: uint8(max(0, len(s.text)-digits))}
	s.text = appendStale(s.text, stale)
	p.end = uint32(len(s.text))
	if edition%2 == 0 {
		p.edition = edition
	}
	p.bound(&row.clock, l.made, stale)
	s.extents[i], s.ttls[i] = p, row.clock.ttlMS()
}

// bound notes when the row's probe began, and the range of ages that have as many
// digits and the same staleness.
func (p *extent) bound(c *clock, made time.Time, stale bool) {
	p.began, p.least, p.limit = unknown, math.MinInt64, math.MaxInt64
	if c.checked.IsZero() {
		return
	}
	began := c.checked.Sub(made)
	if began < -lifetime || began > lifetime { // a clock was wrong: too long for an int64
		p.least = math.MaxInt64
		return
	}
	if p.began = int64(began); c.checked == c.checked.Round(0) { // Round strips the monotonic time
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
	if c.ttl < 0 {
		return
	}
	if old := c.ttl*int64(time.Millisecond) + 1; stale {
		p.least = max(p.least, old)
	} else {
		p.limit = min(p.limit, old)
	}
}

// date overwrites the age in text with another of as many digits.
func (p *extent) date(text []byte, age time.Duration) {
	digits := text[p.age : p.age+uint32(p.digits)]
	n := uint64(max(0, age)) / uint64(time.Millisecond)
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = byte('0' + n%10)
		n /= 10
	}
}
