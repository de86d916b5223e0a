package store

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// An Update is what one result says of a provider. What its pointers and slices refer to
// must not change once the store has it.
type Update struct {
	Status      provider.Status
	Models      []provider.Model // in memory only
	ModelsAt    provider.Time    // when the list was read
	Diagnostics *provider.Diagnostics
	Event       *provider.Event // nil: no event; the store sets Seq
	Durable     bool            // state or reason changed, and another provider's event tells it
}

// A Row is what is known of one provider as of one moment. It is immutable; callers must
// not change what it refers to.
type Row struct {
	// What a read needs comes first, in as few cache lines as possible.
	text  atomic.Pointer[[]byte] // see fields; nil: not encoded yet
	asked atomic.Bool            // somebody has read the row
	clock clock

	Status      provider.Status
	Models      []provider.Model
	modelsAt    int64 // see ModelsAt
	Diagnostics *provider.Diagnostics

	next atomic.Pointer[chan struct{}] // see changed; nil: nobody waits
}

// passed is the channel of a row that has been replaced.
var passed = func() *chan struct{} {
	ch := make(chan struct{})
	close(ch)
	return &ch
}()

// changed returns a channel that is closed when a newer row is published. It is made on
// demand: nobody waits for most rows.
func (r *Row) changed() <-chan struct{} {
	for {
		if ch := r.next.Load(); ch != nil {
			return *ch
		}
		ch := make(chan struct{})
		if r.next.CompareAndSwap(nil, &ch) {
			return ch
		}
	}
}

// pass closes the channel of changed.
func (r *Row) pass() {
	if ch := r.next.Swap(passed); ch != nil && ch != passed {
		close(*ch)
	}
}

// A clock is the part of a row from which age_ms and stale follow.
type clock struct {
	checked time.Time // zero: never
	ttl     int64     // ms; its complement if the row is always stale: never checked, or restored from the disk
}

func newRow(u Update) (*Row, error) {
	u.Status.AgeMS, u.Status.Stale = nil, false
	if err := checkText(&u.Status); err != nil {
		return nil, err
	}
	return &Row{
		Status:      u.Status,
		Models:      u.Models,
		modelsAt:    unixMicro(u.ModelsAt),
		Diagnostics: u.Diagnostics,
		clock:       newClock(&u.Status),
	}, nil
}

// ModelsAt is when the list of models was read; zero if it was not.
func (r *Row) ModelsAt() (at provider.Time) {
	if r.modelsAt != 0 {
		at.Time = time.UnixMicro(r.modelsAt)
	}
	return at
}

// unixMicro is a time in eight bytes; 0 if it is zero.
func unixMicro(t provider.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func newClock(st *provider.Status) clock {
	c := clock{st.CheckedAt.Time, st.TTLMS}
	if st.CheckedAt.IsZero() || st.Source == provider.FromRestored {
		c.ttl = ^c.ttl
	}
	return c
}

// ttlMS is the row's ttl_ms.
func (c *clock) ttlMS() int64 { return max(c.ttl, ^c.ttl) }

// read returns the row's age, and whether the row is stale.
func (c *clock) read(now time.Time) (age time.Duration, stale bool) {
	if !c.checked.IsZero() {
		age = max(0, now.Sub(c.checked))
	}
	return age, age > time.Duration(c.ttl)*time.Millisecond
}

// ageField is the text before the digits of an age.
const ageField = `,"age_ms":`

// appendAge appends age_ms, unless the row was never checked.
func (c *clock) appendAge(dst []byte, age time.Duration) []byte {
	if c.checked.IsZero() {
		return dst
	}
	return strconv.AppendInt(append(dst, ageField...), age.Milliseconds(), 10)
}

// appendStale appends stale and ends the row.
func appendStale(dst []byte, stale bool) []byte {
	dst = append(dst, `,"stale":`...)
	return append(strconv.AppendBool(dst, stale), '}')
}

// Age is the time since the last probe began, by the monotonic clock if this process
// made the row. It is 0 for a row that was never checked, and never negative.
func (r *Row) Age(now time.Time) time.Duration {
	age, _ := r.clock.read(now)
	return age
}

// Stale reports whether the row was never checked, was restored from the disk, or is
// older than its ttl_ms, and so should not be relied on.
func (r *Row) Stale(now time.Time) bool {
	_, stale := r.clock.read(now)
	return stale
}

// Current is the row's Status with its age and staleness as of now.
func (r *Row) Current(now time.Time) provider.Status {
	st := r.Status
	if !st.CheckedAt.IsZero() {
		age := r.Age(now).Milliseconds()
		st.AgeMS = &age
	}
	st.Stale = r.Stale(now)
	return st
}

// AppendJSON appends the Status as a JSON object, with stale and, unless the row was
// never checked, age_ms as of now.
func (r *Row) AppendJSON(dst []byte, now time.Time) []byte {
	age, stale := r.clock.read(now)
	dst = append(dst, r.fields()...)
	dst = r.clock.appendAge(dst, age)
	return appendStale(dst, stale)
}

// A cell holds one provider's current row. A provider whose configuration changed gets a
// new cell, so that a result for the old configuration cannot reach the new row.
type cell struct {
	row     atomic.Pointer[Row]
	edition atomic.Uint32 // rises with each row; odd while the row is being replaced
	gone    bool          // no longer in the table; guarded by Store.mu
}

func newCell(row *Row) *cell {
	c := new(cell)
	c.replace(row)
	return c
}

// replace replaces the row and returns the old one. The edition changes before the row
// and once more after it, so that nobody sees the new row with the old edition.
func (c *cell) replace(row *Row) (old *Row) {
	c.edition.Add(1)
	old = c.row.Swap(row)
	c.edition.Add(1)
	return old
}

func (c *cell) id() string { return c.row.Load().Status.ID }

// Waiting reports whether a change of the provider is not on the disk yet, and so not
// visible. After a change was put, Waiting reports true until that row, or that of a
// later change, is published.
func (s *Store) Waiting(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.table.Load().byID[id]
	return c != nil && (s.pending.rows[c] != nil || s.inFlight != nil && s.inFlight.rows[c] != nil)
}
