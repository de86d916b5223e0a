package rollup

import (
	"math"
	"slices"
	"time"
)

// steps is how many steps a sketch can have: from 1 µs to more than a day.
const steps = 253

// A Sketch is a distribution of latencies: how many were within each step of about 10 %. It is
// a DDSketch with a relative error of 5 %, but without the library: see
// docs/decisions/rollups.md. Its zero value is empty.
type Sketch struct {
	first  uint8    // the step of counts[0]
	counts []uint32 // of consecutive steps
}

// stepOf is the step of a latency.
func stepOf(d time.Duration) uint8 {
	us := max(1, float64(d)/float64(time.Microsecond))
	return uint8(min(steps-1, math.Ceil(math.Log(us)/lnGamma)))
}

// middleOf is the latency that is within the relative error of every latency in the step.
func middleOf(step uint8) time.Duration {
	us := math.Exp(float64(step)*lnGamma) * (1 - errorOfSketch)
	return time.Duration(us * float64(time.Microsecond))
}

// Add adds a latency.
func (s *Sketch) Add(d time.Duration) { s.add(stepOf(d), 1) }

// add adds n latencies to a step. A count stops at 32 bits.
func (s *Sketch) add(step uint8, n uint32) {
	if n == 0 {
		return
	}
	s.first, s.counts = spanning(s.first, s.counts, step)
	c := &s.counts[step-s.first]
	*c += min(n, math.MaxUint32-*c)
}

// spanning returns the counts, extended as far as a step.
func spanning[N uint16 | uint32](first uint8, counts []N, step uint8) (uint8, []N) {
	const room = 4 // steps to grow by at least
	switch at := int(step) - int(first); {
	case len(counts) == 0:
		return step, append(counts[:0], 0)
	case at < 0:
		grown := make([]N, len(counts)-at, len(counts)-at+room)
		copy(grown[-at:], counts)
		return step, grown
	case at >= len(counts):
		counts = slices.Grow(counts, at+1-len(counts))
		for len(counts) <= at {
			counts = append(counts, 0)
		}
	}
	return first, counts
}

// Merge adds what another sketch counted.
func (s *Sketch) Merge(o *Sketch) {
	for i, n := range o.counts {
		s.add(o.first+uint8(i), n)
	}
}

// Count is how many latencies were added.
func (s *Sketch) Count() (n uint64) {
	for _, c := range s.counts {
		n += uint64(c)
	}
	return n
}

// Quantile is the q-quantile of the latencies, with a relative error of at most 5 %; 0 if there
// are none.
func (s *Sketch) Quantile(q float64) time.Duration {
	n := s.Count()
	if n == 0 {
		return 0
	}
	rank, below := uint64(math.Ceil(min(max(q, 0), 1)*float64(n))), uint64(0)
	for i, c := range s.counts {
		if below += uint64(c); c > 0 && below >= rank {
			return middleOf(s.first + uint8(i))
		}
	}
	return 0 // not reached
}
