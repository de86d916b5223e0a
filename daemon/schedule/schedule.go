// Package schedule decides when to probe: intervals, jitter, back-off,
// coalescing and concurrency. Only this package decides whether a probe is made.
//
// Each provider has at most one probe in flight and one asked for after it. Every request
// that arrives meanwhile shares the latter. A probe is stamped with the newest refresh
// generation when it begins, so that a row of generation N cannot come from a probe that
// began before refresh N was accepted.
//
// Observations go through daemon/judge into the store; nothing here waits for the disk or for
// a client.
package schedule

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/outage"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/daemon/probe/term"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// A Prober probes one provider. Its methods are never called concurrently.
type Prober interface {
	Probe(context.Context, probe.Ask) probe.Observation
	Part() // closes the connection that it keeps between probes
	Close()
}

// Options of a Scheduler. Store and NewProber are required.
type Options struct {
	Store     *store.Store
	NewProber func(*config.Provider) (Prober, error) // does no I/O, and may keep its argument
	Log       hclog.Logger                           // nil: silent
	// Lane is how many probes may be in progress at once. As many again may wait for
	// servers that did not answer the last time, so that those never delay the others.
	// 0: 512.
	Lane int
	// Kept is how many providers may keep a connection between probes; the others close
	// theirs each time. 0: all.
	Kept int
	// Online reports whether this machine has a route to a host, which may be a name;
	// empty: to the rest of the world. It sends nothing. nil: it always has.
	Online func(host string) bool
	// Wall is the wall clock, which continues while the machine sleeps; nil: time.Now.
	Wall func() time.Time
	// Asleep is how long the machine has slept since it was started; nil or negative:
	// unknown.
	Asleep func() time.Duration
	// Random returns a number in [0,1) and may be called by several goroutines; nil: rand.Float64.
	Random func() float64
	// Fleet hears of what its other members may want to know; nil: none.
	Fleet Fleet
}

// Scheduler probes its providers while it runs; see [Scheduler.Apply].
type Scheduler struct {
	o    Options
	log  hclog.Logger
	made time.Time
	wake chan struct{} // the queue's head may have changed; holds one
	work *workers

	mu      sync.Mutex
	ctx     context.Context // nil until Run
	entries map[string]*entry
	limits  map[*entry]*time.Timer // see limits.go
	order   []string
	queue   queue
	looks   time.Time   // when Run next checks the queue by itself; zero until it runs
	behind  bool        // a burst has left some that are due
	ports   []portEntry // sorted by port
	vigils  int         // entries that are knocked at
	lanes   [2]lane     // for providers that answered the last time, and for the others
	count   Stats
	unswept int // entries of the first Apply without a result
	swept   chan struct{}
	machine outage.Machine
	shares  map[*entry]*share // nil without a fleet
	actions map[string]action // by provider; see Act

	eachLatency bool // see KeepLatencies
	counted     atomic.Pointer[Counted]

	watch    outage.Watch
	lookedAt uint64    // the newest event when the clock was last checked
	toldAt   time.Time // when time was last reported to the store
}

// An entry is one provider. Its fields are guarded by Scheduler.mu.
type entry struct {
	configured
	host  string // if over the network; empty: on this machine
	known known
	due   time.Time
	index int32 // in the queue; -1 while in flight, waiting for a lane, or paused

	want    want
	probe   *inFlight // nil: none is in progress
	waiting bool      // due, but its lane is full

	removed  bool
	probed   bool   // at least once since it was applied
	sweeping bool   // counted in Scheduler.unswept
	reports  uint32 // how many callers reported what they met
	heard    uint32 // how often users were believed
	epoch    uint16 // rises when a reload replaces cfg and prober
	news     bool   // a socket at its port was closed
	vigil    bool   // it is knocked at, see atonce.go
	position uint32 // in the configuration

	// Moments, since the Scheduler was made.
	began    time.Duration // of the last probe, or bare connect; 0: there was none
	free     time.Duration // when the next probe may begin
	hears    time.Duration // when the next news may cause a probe
	factsDue time.Duration // when to ask for all facts again

	witness     outage.Witness        // what its probes say of this machine
	diagnostics *provider.Diagnostics // of the last probe
	feed        *provider.FeedStep    // of the vendor's status feed, when it was last read

	// What a scrape reads without a lock.
	ok, notOK   atomic.Uint64             // probes that ended this way
	latencies   atomic.Pointer[latencies] // of answered deciding requests; nil: not counted
	kindLatency *latencies                // those of all providers of its kind
}

// began is when the last probe of an entry, or bare connect, began; zero if there was none.
func (s *Scheduler) began(e *entry) time.Time {
	if e.began == 0 {
		return time.Time{}
	}
	return s.made.Add(e.began)
}

// lane limits how many probes of a sort are in progress.
type lane struct {
	busy    int
	waiting []*entry
}

// factsEvery is how old the facts that rarely change may grow while a provider runs and nobody
// asks for it.
const factsEvery = time.Minute

// New makes a Scheduler without providers.
func New(o Options) *Scheduler {
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
	if o.Lane == 0 {
		o.Lane = 512
	}
	if o.Online == nil {
		o.Online = func(string) bool { return true }
	}
	if o.Wall == nil {
		o.Wall = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.Asleep == nil {
		o.Asleep = func() time.Duration { return -1 }
	}
	newest := o.Store.View().Seq()
	s := &Scheduler{
		o: o, log: o.Log, made: time.Now(), wake: make(chan struct{}, 1), work: newWorkers(),
		entries: map[string]*entry{}, limits: map[*entry]*time.Timer{}, swept: make(chan struct{}),
		watch: outage.NewWatch(o.Wall(), newest), lookedAt: newest,
	}
	s.counted.Store(&Counted{})
	return s
}

// Run probes until ctx ends; then it cancels the probes in progress, waits for them and
// returns.
func (s *Scheduler) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	s.ctx = ctx
	s.mu.Unlock()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-s.wake:
		case <-ctx.Done():
			cancel()
			s.stop()
			return
		}
		timer.Reset(s.startDue())
	}
}

// stop waits for the probes in flight and closes the probers.
func (s *Scheduler) stop() {
	s.mu.Lock() // a probe has started by now, or sees that the context has ended
	s.lookAtClock(time.Now())
	s.work.end()
	for _, e := range s.entries {
		if e.probe != nil {
			e.probe.cancel()
		}
	}
	s.mu.Unlock()
	s.work.wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		e.prober.Close()
	}
}

// Swept is closed when every provider of the first Apply has been probed once.
func (s *Scheduler) Swept() <-chan struct{} { return s.swept }

// untilLook is how long until Run checks again.
func (s *Scheduler) untilLook(now time.Time) time.Duration {
	wait := s.machine.LookAgain()
	if len(s.queue) > 0 {
		wait = min(wait, s.queue[0].due.Sub(now))
	}
	return wait
}

// start begins a probe, or lets the entry wait if its lane is full; false: it did not begin.
func (s *Scheduler) start(e *entry, now time.Time) bool {
	if s.ctx == nil || s.ctx.Err() != nil {
		return false
	}
	l := s.laneOf(e)
	if l.busy >= s.o.Lane {
		s.await(e, true)
		l.waiting = append(l.waiting, e)
		return false
	}
	l.busy++
	isKnock := s.isKnock(e, now)
	if !isKnock {
		s.count.InFlight++
	}
	ask := probe.Ask{
		Facts: e.want.facts || now.Sub(s.made) >= e.factsDue ||
			e.known.row.State != provider.StateRunning || e.known.Note != "",
		DialFirst: e.known.Probes.Saw == provider.ConnectionRefused || e.news,
		Bare:      now.Sub(s.made) < e.free,
		Fresh:     e.want.fresh,
		Part:      s.o.Kept > 0 && int(e.position) >= s.o.Kept,
	}
	if ask.Facts {
		e.factsDue = now.Sub(s.made) + factsEvery
	}
	if e.news {
		e.news, e.hears = false, now.Sub(s.made)+newsGap
	}
	ctx := term.New(context.WithoutCancel(s.ctx), 0) // stop cancels them
	f := &inFlight{
		e: e, cancel: ctx.Cancel, prober: e.prober, lane: l, want: e.want, epoch: e.epoch, reports: e.reports, heard: e.heard,
		generation: s.o.Store.Generation(), knock: isKnock, bare: ask.Bare,
	}
	e.probe, e.want, e.began = f, want{}, max(1, now.Sub(s.made))
	s.work.run(func() {
		defer ctx.Cancel()
		s.complete(f, observe(ctx, f.prober, ask), ctx)
	})
	return true
}

// laneOf separates providers that made us wait the last time from the others.
func (s *Scheduler) laneOf(e *entry) *lane {
	if e.known.Probes.Saw == provider.Hung || e.known.Probes.Saw == provider.ConnectTimeout {
		return &s.lanes[1]
	}
	return &s.lanes[0]
}

// observe turns a panic of the prober into an error of its provider.
func observe(ctx context.Context, p Prober, ask probe.Ask) (o probe.Observation) {
	began := time.Now()
	defer func() {
		if r := recover(); r != nil {
			o = probe.Observation{
				Began: began, Took: time.Since(began),
				Saw: provider.ProbeFailed, Detail: fmt.Sprintf("panic: %v", r),
			}
		}
	}()
	return p.Probe(ctx, ask)
}
