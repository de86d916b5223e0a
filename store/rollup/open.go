package rollup

import (
	"math"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// An Open is a bucket that is being filled: an hour that has not ended. There is one for each
// provider in memory, so it is small. Its zero value is empty.
type Open struct {
	states  [len(known)]uint32 // ms
	serving uint32             // ms
	probes  uint32
	ok      uint32
	longest uint32   // latency, in µs
	first   uint8    // see Sketch
	counts  []uint16 // an hour can have 3,600 probes
}

// Spend adds time in a state, and returns how much of it: whole milliseconds. The caller adds
// the rest the next time.
func (o *Open) Spend(state provider.State, reason provider.Reason, d time.Duration) time.Duration {
	ms := uint32(min(max(0, d.Milliseconds()), math.MaxUint32/2))
	if Counts(state, reason) {
		plus(&o.states[indexOf(state)], ms)
		if state != provider.StateRunning && provider.Usable(state, reason) {
			plus(&o.serving, ms)
		}
	}
	return time.Duration(ms) * time.Millisecond
}

// plus adds without wrapping around.
func plus[N uint16 | uint32](to *N, n N) { *to += min(n, ^N(0)-*to) }

// Probed adds a probe. A latency of 0 or less is none.
func (o *Open) Probed(ok bool, latency time.Duration) {
	plus(&o.probes, 1)
	if ok {
		plus(&o.ok, 1)
	}
	if latency <= 0 {
		return
	}
	o.longest = max(o.longest, uint32(min(latency.Microseconds(), math.MaxUint32)))
	step := stepOf(latency)
	o.first, o.counts = spanning(o.first, o.counts, step)
	plus(&o.counts[step-o.first], 1)
}

// Bucket is what the open hour has so far, as the bucket of the hour that begins at t.
func (o *Open) Bucket(t time.Time) Bucket {
	b := Bucket{
		Time: t, Step: Hour, Probes: uint64(o.probes), OK: uint64(o.ok),
		Max: time.Duration(o.longest) * time.Microsecond, serving: time.Duration(o.serving) * time.Millisecond,
	}
	for i, ms := range o.states {
		b.states[i] = time.Duration(ms) * time.Millisecond
	}
	for i, n := range o.counts {
		b.Latency.add(o.first+uint8(i), uint32(n))
	}
	return b
}

// Reopen continues a bucket that was filled before.
func Reopen(b *Bucket) Open {
	o := Open{
		probes: uint32(min(b.Probes, math.MaxUint32)), ok: uint32(min(b.OK, math.MaxUint32)),
		longest: uint32(min(b.Max.Microseconds(), math.MaxUint32)), serving: milli(b.serving),
	}
	for i, d := range b.states {
		o.states[i] = milli(d)
	}
	for i, n := range b.Latency.counts {
		if n > 0 {
			step := b.Latency.first + uint8(i)
			o.first, o.counts = spanning(o.first, o.counts, step)
			plus(&o.counts[step-o.first], uint16(min(n, math.MaxUint16)))
		}
	}
	return o
}

func milli(d time.Duration) uint32 { return uint32(min(max(0, d.Milliseconds()), math.MaxUint32)) }

// Reset empties the open bucket. It keeps its memory, unless that is unusually large.
func (o *Open) Reset() {
	const usual = 48 // steps: latencies that differ by a factor of 100
	if len(o.counts) > usual {
		o.counts = nil
	}
	clear(o.counts)
	*o = Open{first: o.first, counts: o.counts}
}

// IsEmpty reports whether nothing was added.
func (o *Open) IsEmpty() bool { return o.probes == 0 && o.states == [len(known)]uint32{} }
