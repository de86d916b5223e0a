package schedule

import (
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A Turn is who probes a provider that members of a fleet share.
type Turn uint8

const (
	Here      Turn = iota // this machine, as without a fleet: it has the claim, or the provider is not shared
	Elsewhere             // another member; here only if something asks for it
	Alone                 // this machine, more slowly, because the fleet cannot be asked
)

// How a row became known.
type How uint8

const (
	Probed   How = iota // by an own probe
	Reported            // by a caller's report
)

// A Fleet is told what happens here. Its methods are called with the scheduler's lock held: they
// do not block and do not call back.
type Fleet interface {
	// Saw is called after an own probe that began at began, and after a report. The row is
	// read-only.
	Saw(id string, row *provider.Status, models []provider.Model, how How, began time.Time)
	// Asked is called when somebody wants a probe of a provider whose turn is Elsewhere. Without
	// a Told that answers that generation within [AnswerWithin], it is probed here.
	Asked(id string, generation uint64)
	// Disagrees is called when own definite evidence begins to contradict what was told, or
	// no longer does.
	Disagrees(id string, ours bool)
}

// A Told is what another member's probe found.
type Told struct {
	By      string
	State   provider.State
	Reason  provider.Reason
	Version string
	Latency time.Duration
	Age     time.Duration    // since that probe began
	RetryIn time.Duration    // 0: none
	Models  []provider.Model // nil: unknown; what is known stays
	Answers uint64           // the newest generation of this machine that it answers; 0: none
}

// AnswerWithin is how long a refresh waits for another member's probe.
const AnswerWithin = 2 * time.Second

// SetTurn says who probes a provider from now on. stretch multiplies the intervals of Alone; it
// is at least 1.
func (s *Scheduler) SetTurn(id string, turn Turn, stretch float64) {}

// Tell passes on what another member's probe found.
func (s *Scheduler) Tell(id string, t Told) {}

// Unsay says that what another member told no longer counts. The row keeps its age until an own
// probe replaces it.
func (s *Scheduler) Unsay(id string) {}

// Hold keeps a provider from being probed, because another member was told to wait; in is how
// long from now on. 0 ends it.
func (s *Scheduler) Hold(id string, in time.Duration, by string) {}

// CheckSoon asks for one own probe, although another member probes.
func (s *Scheduler) CheckSoon(id string) {}
