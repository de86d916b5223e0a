package rollup

import (
	"math"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// The steps of a history.
const (
	Hour = time.Hour
	Day  = 24 * time.Hour
)

// known has the states whose time counts as known, in the order in which they are written. New
// states go to the end.
var known = [...]provider.State{
	provider.StateStopped, provider.StateStarting, provider.StateRunning, provider.StateDegraded, provider.StateError,
}

// indexOf is the index of a state in known, or -1.
func indexOf(state provider.State) int {
	for i := range known {
		if known[i] == state {
			return i
		}
	}
	return -1
}

// Counts reports whether time with that state and reason is known time. It is not if the state
// is UNKNOWN, as while this machine is offline, or if probing is paused.
func Counts(state provider.State, reason provider.Reason) bool {
	return indexOf(state) >= 0 && reason != provider.Paused
}

// A Bucket sums up one provider's hour or day. Its zero value is empty.
type Bucket struct {
	Time time.Time     // when it begins, in UTC
	Step time.Duration // [Hour] or [Day]

	// OK counts the probes that saw no problem; bare connects are no probes.
	Probes, OK uint64
	Max        time.Duration // the longest latency, to the microsecond
	Latency    Sketch        // of answered deciding requests

	states  [len(known)]time.Duration
	serving time.Duration // usable, but not RUNNING
}

// Begin is when the hour or day of t begins.
func Begin(t time.Time, step time.Duration) time.Time {
	return t.UTC().Truncate(step)
}

// Spend adds time in a state, and ignores time that does not count; see [Counts].
func (b *Bucket) Spend(state provider.State, reason provider.Reason, d time.Duration) {
	if d <= 0 || !Counts(state, reason) {
		return
	}
	b.states[indexOf(state)] += d
	if state != provider.StateRunning && provider.Usable(state, reason) {
		b.serving += d
	}
}

// Probed adds a probe. A latency of 0 or less is none.
func (b *Bucket) Probed(ok bool, latency time.Duration) {
	b.Probes++
	if ok {
		b.OK++
	}
	if latency > 0 {
		b.Latency.Add(latency)
		b.Max = max(b.Max, latency.Truncate(time.Microsecond))
	}
}

// In is how long the provider was in a state.
func (b *Bucket) In(state provider.State) time.Duration {
	if i := indexOf(state); i >= 0 {
		return b.states[i]
	}
	return 0
}

// States is how long the provider was in each state, without states in which it was not.
func (b *Bucket) States() map[provider.State]time.Duration {
	states := make(map[provider.State]time.Duration)
	for i, d := range b.states {
		if d > 0 {
			states[known[i]] = d
		}
	}
	return states
}

// Known is how long the state was known. If the clock was set back, it can be longer than the
// step.
func (b *Bucket) Known() (d time.Duration) {
	for _, in := range b.states {
		d += in
	}
	return d
}

// Usable is how long the provider could be used: RUNNING, or with a reason that allows it.
func (b *Bucket) Usable() time.Duration { return b.In(provider.StateRunning) + b.serving }

// Quantile is the q-quantile of the latencies of answers, with a relative error of at most 5 %;
// 0 if there were none.
func (b *Bucket) Quantile(q float64) time.Duration {
	d := b.Latency.Quantile(q)
	if b.Max > 0 {
		d = min(d, b.Max)
	}
	return d
}

// Merge adds another bucket, and keeps the time and step.
func (b *Bucket) Merge(o *Bucket) {
	for i := range b.states {
		b.states[i] += o.states[i]
	}
	b.serving += o.serving
	b.Probes, b.OK = b.Probes+o.Probes, b.OK+o.OK
	b.Max = max(b.Max, o.Max)
	b.Latency.Merge(&o.Latency)
}

// IsEmpty reports whether the bucket sums up nothing.
func (b *Bucket) IsEmpty() bool { return b.Probes == 0 && b.Known() == 0 && b.Latency.Count() == 0 }

// errorOfSketch is the relative error of a quantile.
const errorOfSketch = 0.05

// lnGamma is the logarithm of the ratio between the limits of neighbouring steps of a sketch. A
// latency within a step is at most errorOfSketch from the step's middle.
var lnGamma = math.Log((1 + errorOfSketch) / (1 - errorOfSketch))
