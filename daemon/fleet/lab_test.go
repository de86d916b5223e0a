package fleet_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/fleet"
	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store/provider"
)

// A lab is machines, their store, and the vendors that they probe.
type lab struct {
	*testing.T
	store     *memStore
	machines  []*machine
	providers []*config.Provider

	wrap func(bus.Bus) bus.Bus // of machines that boot; nil: their bus as it is

	mu     sync.Mutex
	reason map[string]provider.Reason // by provider, or by member/provider; else OK
	wait   map[string]time.Duration
}

// A machine is one daemon.
type machine struct {
	*lab
	name   string
	local  *localFake
	engine *fleet.Engine
	bus    *memBus
	cfg    *config.Fleet
	end    context.CancelFunc
	done   chan struct{}
}

// inLab plays machines that share providers, after they have settled.
func inLab(t *testing.T, machines, providers int, play func(l *lab)) {
	synctest.Test(t, func(t *testing.T) {
		l := &lab{T: t, store: newMemStore(), providers: clouds(providers), reason: map[string]provider.Reason{}, wait: map[string]time.Duration{}}
		defer func() {
			for _, m := range l.machines {
				m.kill()
			}
			time.Sleep(time.Hour) // leases end
		}()
		for i := range machines {
			l.boot(fmt.Sprint("gpu", i), nil)
		}
		time.Sleep(30 * time.Second)
		play(l)
	})
}

// clouds are providers that can be shared.
func clouds(n int) (ps []*config.Provider) {
	for i := range n {
		ps = append(ps, &config.Provider{
			ID: fmt.Sprint("p", i), Kind: "openai", Type: provider.Cloud, BaseURL: fmt.Sprintf("https://api%d.example.com/v1", i),
			Key: config.NewSecret("sk-made-up-for-this-test"), Interval: time.Minute,
		})
	}
	return ps
}

// boot starts a machine. change adapts its settings.
func (l *lab) boot(name string, change func(f *config.Fleet)) *machine {
	seed := uint64(len(l.machines) + 1)
	m := &machine{lab: l, name: name, local: newLocal(name, seed), bus: l.store.dial(name), done: make(chan struct{})}
	var b bus.Bus = m.bus
	if l.wrap != nil {
		b = l.wrap(b)
	}
	m.cfg = &config.Fleet{Name: "lab", Member: name, Key: make([]byte, config.FleetKeySize), Trust: config.Verify, Endpoints: []string{"https://etcd:2379"}}
	if change != nil {
		change(m.cfg)
	}
	random, guard := rand.New(rand.NewPCG(seed, 2)), sync.Mutex{}
	m.engine = fleet.New(fleet.Options{
		Local: m.local, Row: m.local.row, Host: name, Version: "1.0",
		Dial: func(*config.Fleet) (bus.Bus, error) { return b, nil },
		Random: func() float64 {
			guard.Lock()
			defer guard.Unlock()
			return random.Float64()
		},
	})
	m.local.engine, m.local.probe = m.engine, l.answer
	m.configure(m.cfg, l.providers)
	var ctx context.Context
	ctx, m.end = context.WithCancel(context.Background())
	go func() {
		defer close(m.done)
		m.engine.Run(ctx)
	}()
	l.machines = append(l.machines, m)
	return m
}

// configure is a reload.
func (m *machine) configure(f *config.Fleet, providers []*config.Provider) {
	m.local.apply(providers)
	m.engine.Configure(f, providers)
}

// answer is what a vendor answers a member.
func (l *lab) answer(member, id string) (provider.Reason, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range []string{member + "/" + id, id} {
		if r := l.reason[key]; r != "" {
			return r, l.wait[key]
		}
	}
	return provider.OK, 0
}

// play makes a vendor answer so, from now on.
func (l *lab) play(key string, reason provider.Reason, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reason[key], l.wait[key] = reason, wait
}

// kill ends the machine as a power cut does.
func (m *machine) kill() {
	m.bus.setCut(true)
	m.stop()
}

// stop ends the machine in order.
func (m *machine) stop() {
	m.local.stop()
	m.end()
	<-m.done
}

func (m *machine) entry(id string) *entry {
	m.local.mu.Lock()
	defer m.local.mu.Unlock()
	if e := m.local.entries[id]; e != nil {
		seen := *e
		seen.held = e.heldUntil()
		return &seen
	}
	m.Fatalf("%s does not have %s", m.name, id)
	return nil
}

// probes counts the own probes of a provider since then.
func (m *machine) probes(id string, since time.Time) (n int) {
	for _, at := range m.entry(id).began {
		if at.After(since) {
			n++
		}
	}
	return n
}

// alive are the machines that run.
func (l *lab) alive() (ms []*machine) {
	for _, m := range l.machines {
		select {
		case <-m.done:
		default:
			ms = append(ms, m)
		}
	}
	return ms
}

// here are the machines that probe a provider because it is their turn.
func (l *lab) here(id string) (ms []*machine) {
	for _, m := range l.alive() {
		if m.entry(id).turn != schedule.Elsewhere {
			ms = append(ms, m)
		}
	}
	return ms
}

// prober is the only machine that probes a provider.
func (l *lab) prober(id string) *machine {
	l.Helper()
	synctest.Wait()
	ms := l.here(id)
	if len(ms) != 1 {
		names := []string{}
		for _, m := range ms {
			names = append(names, m.name)
		}
		l.Fatalf("%s is probed by %v, want one member", id, names)
	}
	return ms[0]
}

// other is a machine that runs and is not that one.
func (l *lab) other(not *machine) *machine {
	for _, m := range l.alive() {
		if m != not {
			return m
		}
	}
	return nil
}

// until waits for a condition, and says how long that took.
func (l *lab) until(within time.Duration, what string, is func() bool) time.Duration {
	l.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		synctest.Wait()
		if is() {
			return time.Since(began)
		}
		if time.Since(began) > within {
			l.Fatalf("not within %v: %s", within, what)
		}
	}
}

// identity is how the lab's members name a provider.
func (l *lab) identity(i int) wire.Identity {
	return wire.Identify(make([]byte, config.FleetKeySize), l.providers[i])
}
