package store

import "time"

// A Moment is when rows are read, and which rows are too old then.
type Moment struct {
	Now   time.Time
	Young time.Time // rows whose probe began earlier are stale; zero: no such limit
}

// read returns the age of a row with the clock, and whether the row is stale.
func (m Moment) read(c *clock) (age time.Duration, stale bool) {
	age, stale = c.read(m.Now)
	return age, stale || c.checked.Before(m.Young)
}

// AppendRow appends the row's Status as [Row.AppendJSON] does.
func (m Moment) AppendRow(dst []byte, r *Row) []byte {
	age, stale := m.read(&r.clock)
	dst = append(dst, r.fields()...)
	return appendStale(r.clock.appendAge(dst, age), stale)
}

// Measure returns how many bytes AppendRow appends for all rows together, and the
// smallest of their ttl_ms, 0 if there are none.
func (m Moment) Measure(rows []*Row) (size int, ttl int64) {
	for i, r := range rows {
		size += m.rowLen(r)
		if i == 0 || r.clock.ttlMS() < ttl {
			ttl = r.clock.ttlMS()
		}
	}
	return size, ttl
}

func (m Moment) rowLen(r *Row) int {
	age, stale := m.read(&r.clock)
	n := len(r.fields()) + len(`,"stale":true}`)
	if !stale {
		n += len("false") - len("true")
	}
	if !r.clock.checked.IsZero() {
		n += len(ageField) + decimals(uint64(age.Milliseconds()))
	}
	return n
}

// decimals is how many digits n has.
func decimals(n uint64) int {
	digits := 1
	for ; n >= 10; n /= 10 {
		digits++
	}
	return digits
}
