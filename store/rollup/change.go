package rollup

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A Change is the moment from which a provider had a state and a reason, until its next change.
// The state can be UNKNOWN. Nothing is said about time in which nobody watched; see [Span].
type Change struct {
	Time   time.Time
	State  provider.State
	Reason provider.Reason
}

// A Span is a time in which nobody watched any provider: the daemon did not run, the machine
// slept, or the daemon was held up.
type Span struct{ From, Until time.Time }

// written has the states by the number as which they are written. New states go to the end. The
// empty state is that of this machine while nobody watches.
var written = [...]provider.State{
	"", provider.StateUnknown, provider.StateStopped, provider.StateStarting,
	provider.StateRunning, provider.StateDegraded, provider.StateError,
}

// A written list of changes is a version, and for each change the ms since the one before,
// or since 1970, as a signed varint, because a clock can be set back; a byte for the state; and
// the number of the reason among those in the list so far, from 1, or 0 and a new reason.
const (
	changesVersion = 1
	longestReason  = 64 // bytes
)

// CodeOf is the number as which a state is written.
func CodeOf(state provider.State) byte {
	return byte(max(0, slices.Index(written[:], state)))
}

// StateOf returns the state with a number, and false if there is none.
func StateOf(code byte) (provider.State, bool) {
	if int(code) >= len(written) {
		return "", false
	}
	return written[code], true
}

// AppendChanges appends a written list of changes.
func AppendChanges(to []byte, changes []Change) []byte {
	to = append(to, changesVersion)
	var last int64
	var reasons []provider.Reason
	for _, c := range changes {
		at := min(max(0, c.Time.UnixMilli()), maxMilli)
		to = append(binary.AppendVarint(to, at-last), CodeOf(c.State))
		last = at
		reason := c.Reason[:min(len(c.Reason), longestReason)]
		n := slices.Index(reasons, reason) + 1
		to = binary.AppendUvarint(to, uint64(n))
		if n == 0 {
			reasons = append(reasons, reason)
			to = append(binary.AppendUvarint(to, uint64(len(reason))), reason...)
		}
	}
	return to
}

// ReadChanges reads a written list of changes. Any input is safe.
func ReadChanges(text []byte) ([]Change, error) {
	r := reader{rest: text}
	if version := r.byte(); r.err == nil && version != changesVersion {
		return nil, fmt.Errorf("read changes: %w", errVersion)
	}
	var changes []Change
	var last int64
	var reasons []provider.Reason
	for len(r.rest) > 0 {
		last += r.signed()
		state, ok := StateOf(r.byte())
		if !ok || last < 0 || last > maxMilli {
			r.fail(errBounds)
		}
		n := r.number(uint64(len(reasons)))
		if n == 0 {
			reasons = append(reasons, r.reason())
			n = uint64(len(reasons))
		}
		if r.err != nil {
			break
		}
		changes = append(changes, Change{time.UnixMilli(last).UTC(), state, reasons[n-1]})
	}
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	return changes, nil
}

// maxMilli is the last ms of a time that fits into 4 bytes of seconds, in 2106.
const maxMilli = (math.MaxUint32+1)*1000 - 1

// signed reads a signed number that is not larger than the distance between any two times.
func (r *reader) signed() int64 {
	n, size := binary.Varint(r.rest)
	switch {
	case size == 0:
		r.fail(errTruncated)
	case size < 0 || n > maxMilli || n < -maxMilli:
		r.fail(errBounds)
	default:
		r.rest = r.rest[size:]
		return n
	}
	return 0
}

func (r *reader) reason() provider.Reason {
	n := int(r.number(longestReason))
	if n > len(r.rest) {
		r.fail(errTruncated)
		return ""
	}
	reason := provider.Reason(r.rest[:n])
	r.rest = r.rest[min(n, len(r.rest)):]
	return reason
}
