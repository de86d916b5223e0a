package fleet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store/provider"
)

// Local is this machine's scheduler.
type Local interface {
	SetTurn(id string, turn schedule.Turn, stretch float64)
	Tell(id string, t schedule.Told)
	Unsay(id string)
	Hold(id string, in time.Duration, by string)
	CheckSoon(id string)
	Refresh(ids []string, force bool) schedule.Accepted
}

// Options of an Engine. Local, Row and Dial are required.
type Options struct {
	Local Local
	// Row returns what this machine knows of a provider; nil: nothing. Neither is changed.
	Row     func(id string) (*provider.Status, []provider.Model)
	Dial    func(*config.Fleet) (bus.Bus, error) // does not connect
	Own     func(host string) bool               // it is an address or the name of this machine; nil: none is
	Log     hclog.Logger                         // nil: silent
	Host    string                               // the host's name
	Version string                               // the daemon's
	Random  func() float64                       // in [0,1); nil: rand.Float64
}

// An Engine is this machine as a member of a fleet, or without one.
type Engine struct {
	o     Options
	log   hclog.Logger
	woken chan struct{} // holds one
	begun chan struct{} // holds one: the configuration changed

	mu        sync.Mutex
	cfg       *config.Fleet // nil: no fleet
	dialed    int           // rises when a session with other settings is needed
	providers []*config.Provider
	items     []*item // in the configuration's order
	byID      map[string]*item
	byFP      map[wire.FP]*item
	byLimit   map[wire.FP][]*item
	doubts    map[wire.FP]*doubt // by what limits belong to
	unshared  []provider.FleetUnshared
	dirty     map[*item]struct{}
	orders    []func() // for the scheduler, in order
	changed   chan struct{}
	count     provider.FleetCounters

	stopOpening     context.CancelFunc // of the try to join that is in progress
	mode            provider.FleetMode
	since           time.Time
	why             error // the mode is not ok
	joined          *joined
	certificateEnds time.Time        // this member's; zero: unknown
	tags            int              // in the lists of all members
	membership      uint64           // rises when members list other providers
	listing         uint64           // rises when this one does
	listedAt        time.Time        // when it did
	peers           map[string]*peer // the members, including this one; as they were, while alone
}

// New makes an Engine without a fleet.
func New(o Options) *Engine {
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	return &Engine{
		o: o, log: o.Log, woken: make(chan struct{}, 1), begun: make(chan struct{}, 1), changed: make(chan struct{}),
		dirty: map[*item]struct{}{}, doubts: map[wire.FP]*doubt{}, peers: map[string]*peer{}, mode: provider.FleetOff, since: time.Now(), membership: 1,
		stopOpening: func() {},
	}
}

// Configure replaces the fleet's settings, nil for no fleet, and the providers. It does not
// wait.
func (e *Engine) Configure(f *config.Fleet, providers []*config.Provider) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !sameFleet(e.cfg, f) {
		e.dialed++
		e.part()
	}
	e.cfg, e.providers = f, providers
	e.list()
	signal(e.begun)
	signal(e.woken)
}

// part ends what this machine knows and does as a member, because it gets other settings. Its
// session is left as soon as possible.
func (e *Engine) part() {
	e.stopOpening()
	e.joined = nil
	for _, it := range e.items {
		it.forget()
		e.dirty[it] = struct{}{}
	}
}

func sameFleet(a, b *config.Fleet) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Name == b.Name && a.Member == b.Member && a.Trust == b.Trust && slices.Equal(a.Endpoints, b.Endpoints) &&
		slices.Equal(a.Key, b.Key) && a.CAFile == b.CAFile && a.CertFile == b.CertFile && a.KeyFile == b.KeyFile &&
		slices.Equal(a.Faults, b.Faults)
}

// usable is the fleet that can be joined; nil: there is none.
func (e *Engine) usable() *config.Fleet {
	if e.cfg == nil || len(e.cfg.Faults) > 0 || len(e.cfg.Key) == 0 {
		return nil
	}
	return e.cfg
}

// signal wakes the receiver of a channel that holds one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run is a member until ctx ends. Then it gives back its claims, which takes a second at most.
func (e *Engine) Run(ctx context.Context) {
	for ctx.Err() == nil {
		e.mu.Lock()
		cfg, dialed := e.usable(), e.dialed
		if cfg == nil {
			e.setMode(provider.FleetOff, faultsOf(e.cfg))
			e.standDown()
		}
		e.mu.Unlock()
		e.carryOut()
		if cfg == nil {
			select {
			case <-e.begun:
			case <-ctx.Done():
			}
			continue
		}
		e.belong(ctx, cfg, dialed)
	}
	e.mu.Lock()
	e.standDown()
	e.mu.Unlock()
	e.carryOut()
}

func faultsOf(f *config.Fleet) error {
	if f == nil || len(f.Faults) == 0 {
		return nil
	}
	return errors.New(f.Faults[0])
}

// belong is a member with these settings, until they change or ctx ends.
func (e *Engine) belong(ctx context.Context, cfg *config.Fleet, dialed int) {
	e.mu.Lock()
	e.setMode(provider.FleetConnecting, nil)
	e.peers, e.tags = map[string]*peer{}, 0
	e.membership++
	e.mu.Unlock()
	b, err := e.o.Dial(cfg)
	if err != nil {
		e.cutOff(err, dialed)
		e.pause(ctx, dialed, time.Minute)
		return
	}
	defer b.Close()
	began, wait := time.Now(), reopenFirst
	for ctx.Err() == nil && e.isCurrent(dialed) {
		e.readCertificate(cfg) // it may have been renewed
		s, said, err := e.open(ctx, b, cfg, dialed)
		if err == nil {
			opened := time.Now()
			err = e.serve(ctx, newJoined(s, said), dialed)
			if time.Since(opened) >= steadyAfter { // else joining may be what ends it
				wait = reopenFirst
			}
			began = time.Time{}
			if err == nil {
				return
			}
		}
		if ctx.Err() != nil {
			return
		}
		// After a crash the old lease lasts for a while.
		if !errors.Is(err, bus.ErrTaken) || began.IsZero() || time.Since(began) > takenFor {
			e.cutOff(err, dialed)
		} else {
			e.waitForName(cfg.Member, dialed)
		}
		e.pause(ctx, dialed, time.Duration((0.5+e.o.Random())*float64(wait)))
		wait = min(2*wait, reopenLast)
	}
}

// open tries to join. New settings end the try. said is the listing that the member's own key
// has whole; 0: further parts have the rest.
func (e *Engine) open(ctx context.Context, b bus.Bus, cfg *config.Fleet, dialed int) (s bus.Session, said uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	e.mu.Lock()
	e.stopOpening = cancel
	if e.dialed != dialed {
		cancel()
	}
	parts := e.ownParts()
	if len(parts) == 1 {
		said = e.listing
	}
	e.mu.Unlock()
	s, err = b.Open(ctx, wire.Members+cfg.Member, parts[0])
	return s, said, err
}

func (e *Engine) isCurrent(dialed int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.dialed == dialed
}

// pause waits, but not while there are new settings. What the scheduler needs is done.
func (e *Engine) pause(ctx context.Context, dialed int, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		e.settleAll()
		e.carryOut()
		select {
		case <-timer.C:
			return
		case <-e.begun:
			if !e.isCurrent(dialed) {
				return
			}
		case <-e.woken:
		case <-ctx.Done():
			return
		}
	}
}

// serve is a session, until it is over; nil: it was left in order.
func (e *Engine) serve(ctx context.Context, j *joined, dialed int) error {
	defer e.leave(j)
	if !e.join(j, dialed) {
		return nil
	}
	timer := time.NewTimer(tickEvery)
	defer timer.Stop()
	for {
		select {
		case b, ok := <-j.s.Batches():
			if !ok {
				e.mu.Lock()
				e.joined = nil
				e.mu.Unlock()
				return j.s.Err()
			}
			e.receive(&b)
		case <-timer.C:
		case <-e.woken:
		case <-e.begun:
			if !e.isCurrent(dialed) {
				return nil
			}
		case <-ctx.Done():
			return nil
		}
		timer.Reset(e.settleAll())
		e.carryOut()
	}
}

// join begins a session, unless there are other settings by now.
func (e *Engine) join(j *joined, dialed int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dialed != dialed {
		return false
	}
	e.joined = j
	return true
}

// carryOut gives the scheduler its orders, without the lock.
func (e *Engine) carryOut() {
	for {
		e.mu.Lock()
		orders := e.orders
		e.orders = nil
		e.mu.Unlock()
		if len(orders) == 0 {
			return
		}
		for _, order := range orders {
			order()
		}
	}
}

func (e *Engine) order(o func()) { e.orders = append(e.orders, o) }

// cutOff makes this machine alone, unless there are other settings by now.
func (e *Engine) cutOff(err error, dialed int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dialed != dialed {
		return
	}
	if err == nil {
		err = errors.New("the session is over")
	}
	e.setMode(provider.FleetAlone, err)
	for _, it := range e.items {
		it.forget()
		e.dirty[it] = struct{}{}
	}
}

// waitForName says why this machine is not a member yet.
func (e *Engine) waitForName(name string, dialed int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dialed == dialed && e.mode == provider.FleetConnecting {
		e.setMode(e.mode, fmt.Errorf("the name %s is taken; after a crash of this machine's daemon it is free again within %v", name, takenFor))
	}
}

// standDown lets this machine probe all by itself, as without a fleet.
func (e *Engine) standDown() {
	for _, it := range e.items {
		it.forget()
		e.setTurn(it, schedule.Here, 1)
		e.unhold(it)
	}
}

// setMode notes and logs how this machine stands to the fleet.
func (e *Engine) setMode(mode provider.FleetMode, why error) {
	was, for1 := e.mode, time.Since(e.since)
	sameWhy := (why == nil) == (e.why == nil) && (why == nil || why.Error() == e.why.Error())
	e.why = why
	if was == mode && sameWhy {
		return
	}
	e.tellChanged()
	if was == mode {
		return
	}
	e.mode, e.since = mode, time.Now()
	switch {
	case mode == provider.FleetAlone:
		e.count.Alone++
		e.log.Warn("cut off from the fleet, probing alone", "fleet", e.cfg.Name, "error", why, "hint", e.hint())
	case mode == provider.FleetOK && was == provider.FleetAlone:
		e.log.Info("back in the fleet", "fleet", e.cfg.Name, "members", len(e.peers), "alone_for", for1.Round(time.Second))
	case mode == provider.FleetOK:
		e.log.Info("joined the fleet", "fleet", e.cfg.Name, "member", e.cfg.Member, "members", len(e.peers))
	case mode == provider.FleetOff && why != nil:
		e.log.Warn("the fleet cannot be used", "error", why)
	}
}

// tellChanged wakes those that follow the fleet.
func (e *Engine) tellChanged() {
	close(e.changed)
	e.changed = make(chan struct{})
}
