package store

import "time"

const (
	// HeadRoom is how many bytes the head of a [Listing] may have.
	HeadRoom = 256

	// maxListing bounds the listings that are kept for later, in bytes.
	maxListing = 1 << 20
)

// A Listing is the JSON of all rows as of one moment, in one piece. Collecting a
// thousand rows from wherever they are in memory takes about as long as sending
// them. So a listing is kept when it is done with, and the next one begins with
// its text: ages are written over ages for as long as the rows are the same, and
// only from the first that is not are they collected again.
//
// A listing is its caller's alone from [View.Listing] to [Listing.Free].
type Listing struct {
	table *table
	text  []byte   // HeadRoom bytes, then the rows with commas between them, then perhaps a foot
	rows  []listed // those that stand in text; the i-th is, or was, in the table's i-th cell
}

// A listed row is what stands in a listing, and where.
type listed struct {
	row      *Row
	clock    clock // of the row, which itself may have left the CPU's cache
	stale    bool  // what the text says
	from, to int   // text[from:to] is the number after age_ms, empty if there is none
	end      int   // of the row
	ttl      int64 // the smallest ttl_ms up to this row
}

// Listing returns the rows as of now.
func (v View) Listing(now time.Time) *Listing {
	l, ok := v.table.listings.Get().(*Listing)
	if !ok {
		l = &Listing{table: v.table, text: make([]byte, HeadRoom), rows: make([]listed, 0, v.Len())}
	}
	l.rows = l.rows[:l.overwrite(now)]
	l.text = l.text[:l.end()]
	l.collect(now)
	return l
}

// overwrite brings ages up to date where they stand, and returns for how many
// rows: then comes one that is newer, has become stale, or has an age of another
// length.
func (l *Listing) overwrite(now time.Time) int {
	for i := range l.rows {
		at := &l.rows[i]
		if l.table.cells[i].row.Load() != at.row {
			return i
		}
		age, stale := at.clock.read(now)
		if stale != at.stale || !overwriteNumber(l.text[at.from:at.to], uint64(age.Milliseconds())) {
			return i
		}
	}
	return len(l.rows)
}

// overwriteNumber replaces digits by those of n, and reports whether they are as
// many.
func overwriteNumber(digits []byte, n uint64) bool {
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	return n == 0 && (len(digits) <= 1 || digits[0] != '0')
}

// collect appends the rows that are missing.
func (l *Listing) collect(now time.Time) {
	for _, c := range l.table.cells[len(l.rows):] {
		row := c.row.Load()
		age, stale := row.clock.read(now)
		at := listed{row: row, clock: row.clock, stale: stale, ttl: row.clock.ttl}
		if len(l.rows) > 0 {
			at.ttl = min(at.ttl, l.SmallestTTL())
			l.text = append(l.text, ',')
		}
		l.text = append(l.text, row.json[:len(row.json)-1]...)
		at.from = len(l.text) + len(ageField)
		l.text = row.clock.appendAge(l.text, age)
		at.to = len(l.text)
		at.from = min(at.from, at.to)
		l.text = appendStale(l.text, stale)
		at.end = len(l.text)
		l.rows = append(l.rows, at)
	}
}

// end is where the last row ends.
func (l *Listing) end() int {
	if len(l.rows) == 0 {
		return HeadRoom
	}
	return l.rows[len(l.rows)-1].end
}

// SmallestTTL is the smallest ttl_ms of the rows, 0 when there are none.
func (l *Listing) SmallestTTL() int64 {
	if len(l.rows) == 0 {
		return 0
	}
	return l.rows[len(l.rows)-1].ttl
}

// Between returns the rows, separated by commas, between a head of at most
// HeadRoom bytes and a foot. The text is the listing's own: it is valid until the
// next call, and must not be changed.
func (l *Listing) Between(head []byte, foot string) []byte {
	from := HeadRoom - len(head)
	copy(l.text[from:], head)
	l.text = append(l.text[:l.end()], foot...)
	return l.text[from:]
}

// Free gives the listing back; its text may no longer be used.
func (l *Listing) Free() {
	if cap(l.text) <= maxListing {
		l.table.listings.Put(l)
	}
}
