package rollup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// A written bucket is a version, a byte of flags for which of the following are there, and
// unsigned varints: the time in each state and the time serving in ms, the probes and how many
// of them were not OK, the maximum in µs, and the sketch. A sketch is its first step, and then
// its counts; a 0 is followed by how many steps have none.
const (
	bucketVersion = 1

	hasServing = 1 << len(known)
	hasProbes  = hasServing << 1
	hasSketch  = hasProbes << 1
)

// The limits of a written bucket are far beyond what a day can have, even if the clock is set
// back over and over. Larger numbers are clamped.
const (
	longest    = 10 * 365 * Day
	mostProbes = 1 << 53
)

var (
	errVersion   = errors.New("it is of an unknown version")
	errTruncated = errors.New("it is truncated")
	errTrailing  = errors.New("something follows it")
	errBounds    = errors.New("a number is out of bounds")
)

// Append appends the written bucket, without its time and step.
func (b *Bucket) Append(to []byte) []byte {
	to = append(to, bucketVersion, 0)
	has := len(to) - 1
	for i, d := range b.states {
		to = b.appendTime(to, has, 1<<i, d)
	}
	to = b.appendTime(to, has, hasServing, b.serving)
	if b.Probes > 0 {
		to[has] |= hasProbes
		to = binary.AppendUvarint(to, min(b.Probes, mostProbes))
		to = binary.AppendUvarint(to, min(b.Probes-b.OK, mostProbes))
	}
	if b.Latency.Count() > 0 {
		to[has] |= hasSketch
		to = binary.AppendUvarint(to, uint64(min(b.Max, longest)/time.Microsecond))
		to = b.Latency.append(to)
	}
	return to
}

func (b *Bucket) appendTime(to []byte, has int, bit byte, d time.Duration) []byte {
	ms := uint64(min(d, longest).Milliseconds())
	if ms == 0 {
		return to
	}
	to[has] |= bit
	return binary.AppendUvarint(to, ms)
}

func (s *Sketch) append(to []byte) []byte {
	first, last := 0, len(s.counts)
	for s.counts[first] == 0 {
		first++
	}
	for s.counts[last-1] == 0 {
		last--
	}
	to = append(to, s.first+uint8(first))
	empty := uint64(0)
	for _, n := range s.counts[first:last] {
		if n == 0 {
			empty++
			continue
		}
		if empty > 0 {
			to = binary.AppendUvarint(append(to, 0), empty)
			empty = 0
		}
		to = binary.AppendUvarint(to, uint64(n))
	}
	return to
}

// ReadBucket reads a written bucket. Any input is safe.
func ReadBucket(text []byte) (Bucket, error) {
	var b Bucket
	r := reader{rest: text}
	if version := r.byte(); r.err == nil && version != bucketVersion {
		return b, errVersion
	}
	has := r.byte()
	for i := range b.states {
		if has&(1<<i) != 0 {
			b.states[i] = r.time()
		}
	}
	if has&hasServing != 0 {
		b.serving = r.time()
	}
	if has&hasProbes != 0 {
		b.Probes = r.number(mostProbes)
		b.OK = b.Probes - r.number(b.Probes)
	}
	if has&hasSketch != 0 {
		b.Max = time.Duration(r.number(uint64(longest/time.Microsecond))) * time.Microsecond
		b.Latency = r.sketch()
	}
	if err := r.end(); err != nil {
		return Bucket{}, fmt.Errorf("read a bucket: %w", err)
	}
	return b, nil
}

// A reader reads numbers until the first error.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.rest, r.err = nil, err
	}
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail(errTruncated)
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

// number reads a number that is not above most.
func (r *reader) number(most uint64) uint64 {
	n, size := binary.Uvarint(r.rest)
	switch {
	case size == 0:
		r.fail(errTruncated)
	case size < 0 || n > most:
		r.fail(errBounds)
	default:
		r.rest = r.rest[size:]
		return n
	}
	return 0
}

func (r *reader) time() time.Duration {
	return time.Duration(r.number(uint64(longest/time.Millisecond))) * time.Millisecond
}

// sketch reads counts up to the end of the text.
func (r *reader) sketch() (s Sketch) {
	s.first = r.byte()
	for r.err == nil && len(r.rest) > 0 {
		room := uint64(steps - int(s.first) - len(s.counts))
		if s.first >= steps || room == 0 {
			r.fail(errBounds)
			break
		}
		n := r.number(math.MaxUint32)
		if n > 0 {
			s.counts = append(s.counts, uint32(n))
			continue
		}
		empty := r.number(room - 1)
		if len(s.counts) == 0 || len(r.rest) == 0 {
			r.fail(errBounds)
		}
		s.counts = append(s.counts, make([]uint32, empty)...)
	}
	if len(s.counts) == 0 {
		r.fail(errTruncated)
	}
	return s
}

// end is the first error.
func (r *reader) end() error {
	if len(r.rest) > 0 {
		r.fail(errTrailing)
	}
	return r.err
}
