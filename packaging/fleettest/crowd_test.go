package fleettest

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/rpc"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/fleet"
	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/etcd"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store/provider"
)

// A Crowd is many members of a fleet in one process. The test that started the process calls
// its methods.
type Crowd struct {
	members   []*simulated
	providers []*config.Provider

	mu       sync.Mutex
	versions map[string]int // of each provider's server
	opened   []time.Time    // when members opened sessions
	failed   map[string]int // why that failed, and how often
	heard    chan heard     // of a change that is under way
}

// CrowdOf says what a crowd is.
type CrowdOf struct {
	Members, Providers int
	Interval           time.Duration // between two probes
	Fleet              config.Fleet  // but for its member
}

// heard says that a member was told of a version.
type heard struct {
	id, version string
	at          time.Time
}

// beCrowd serves the test at the other end of file 3.
func beCrowd() error {
	c, err := net.FileConn(os.NewFile(3, "test"))
	if err != nil {
		return err
	}
	if err := rpc.Register(&Crowd{versions: map[string]int{}, failed: map[string]int{}, heard: make(chan heard, 1<<16)}); err != nil {
		return err
	}
	rpc.ServeConn(c)
	return nil
}

// None is what a method takes or returns if there is nothing to say.
type None struct{}

// Join starts all members at once.
func (c *Crowd) Join(of CrowdOf, _ *None) error {
	for i := range of.Providers {
		c.providers = append(c.providers, &config.Provider{
			ID: fmt.Sprint("p", i), Kind: "openai", Type: provider.Cloud, Interval: of.Interval, Timeout: time.Second,
			BaseURL: fmt.Sprintf("https://p%d.example.test/v1", i), Endpoint: fmt.Sprintf("https://p%d.example.test/v1", i),
		})
	}
	for i := range of.Members {
		c.members = append(c.members, newSimulated(c, of.Fleet, fmt.Sprint("m", i)))
	}
	for _, m := range c.members {
		go m.engine.Run(context.Background())
		go m.probe(of.Interval)
	}
	return nil
}

// A Standing is how many members are how.
type Standing struct {
	OK      int // members by their own account
	Settled int // providers that one member probes, and all others were told of
	Open    []time.Time
	Failed  map[string]int // why sessions could not be opened, and how often
}

// Standing counts.
func (c *Crowd) Standing(_ None, s *Standing) error {
	here, told := map[string]int{}, map[string]int{}
	for _, m := range c.members {
		if m.engine.Mode() == provider.FleetOK {
			s.OK++
		}
		m.mu.Lock()
		for id, turn := range m.turns {
			switch {
			case turn == schedule.Here:
				here[id]++
			case turn == schedule.Elsewhere && m.told[id] != "":
				told[id]++
			}
		}
		m.mu.Unlock()
	}
	for _, p := range c.providers {
		if here[p.ID] == 1 && told[p.ID] == len(c.members)-1 {
			s.Settled++
		}
	}
	c.mu.Lock()
	s.Open, s.Failed = slices.Clone(c.opened), maps.Clone(c.failed)
	c.mu.Unlock()
	return nil
}

// Change changes a provider, lets its prober see it at once, and returns how long each of
// the others waited until it was told.
func (c *Crowd) Change(n int, delays *[]time.Duration) error {
	id := c.providers[n%len(c.providers)].ID
	c.mu.Lock()
	c.versions[id]++
	version := c.version(id)
	c.mu.Unlock()
	began, probers := time.Now(), 0
	for _, m := range c.members {
		if m.turn(id) == schedule.Here {
			probers++
			m.saw(id)
		}
	}
	if probers != 1 {
		return fmt.Errorf("%d members probe %s", probers, id)
	}
	limit := time.After(20 * time.Second)
	for len(*delays) < len(c.members)-1 {
		select {
		case h := <-c.heard:
			if h.id == id && h.version == version {
				*delays = append(*delays, h.at.Sub(began))
			}
		case <-limit:
			return fmt.Errorf("%d of %d members were told of a change", len(*delays), len(c.members)-1)
		}
	}
	return nil
}

// version is the one of a provider's server now. c.mu is held.
func (c *Crowd) version(id string) string { return fmt.Sprintf("1.%d", c.versions[id]) }

// row is what a probe of a provider finds now.
func (c *Crowd) row(id string, began time.Time) *provider.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &provider.Status{
		ID: id, Kind: "openai", Type: provider.Cloud, State: provider.StateRunning, Reason: provider.OK,
		LatencyMS: 12, CheckedAt: provider.Time{Time: began}, Version: c.version(id), Source: provider.FromProbe,
	}
}

// A simulated member has a real engine, and a scheduler that only notes what it is told.
type simulated struct {
	crowd  *Crowd
	engine *fleet.Engine

	mu    sync.Mutex
	turns map[string]schedule.Turn
	told  map[string]string // version that another member told of
}

func newSimulated(c *Crowd, f config.Fleet, name string) *simulated {
	m := &simulated{crowd: c, turns: map[string]schedule.Turn{}, told: map[string]string{}}
	for _, p := range c.providers {
		m.turns[p.ID] = schedule.Here // as without a fleet
	}
	f.Member = name
	m.engine = fleet.New(fleet.Options{
		Local: m, Host: name, Version: "1.0.0", Dial: c.dial,
		Row: func(id string) (*provider.Status, []provider.Model) { return c.row(id, time.Now()), nil },
	})
	m.engine.Configure(&f, c.providers)
	return m
}

// dial makes a bus that counts its sessions.
func (c *Crowd) dial(f *config.Fleet) (bus.Bus, error) {
	b, err := etcd.New(etcd.Options{
		Endpoints: f.Endpoints, Prefix: "/providerd/v1/" + f.Name + "/", TLS: etcd.Files(f.CAFile, f.CertFile, f.KeyFile),
	})
	return &counted{b, c}, err
}

// A counted bus notes when sessions are opened.
type counted struct {
	bus.Bus
	crowd *Crowd
}

func (b *counted) Open(ctx context.Context, own string, value []byte) (bus.Session, error) {
	b.crowd.mu.Lock()
	b.crowd.opened = append(b.crowd.opened, time.Now())
	b.crowd.mu.Unlock()
	s, err := b.Bus.Open(ctx, own, value)
	if err != nil {
		b.crowd.mu.Lock()
		b.crowd.failed[err.Error()]++
		b.crowd.mu.Unlock()
	}
	return s, err
}

// probe probes what is this member's to probe. The providers take turns within the interval.
func (m *simulated) probe(interval time.Duration) {
	for {
		for _, p := range m.crowd.providers {
			time.Sleep(interval / time.Duration(len(m.crowd.providers)))
			if m.turn(p.ID) == schedule.Here {
				m.saw(p.ID)
			}
		}
	}
}

func (m *simulated) saw(id string) {
	now := time.Now()
	m.engine.Saw(id, m.crowd.row(id, now), nil, schedule.Probed, now)
}

func (m *simulated) turn(id string) schedule.Turn {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.turns[id]
}

func (m *simulated) SetTurn(id string, turn schedule.Turn, _ float64) {
	m.mu.Lock()
	before := m.turns[id]
	m.turns[id] = turn
	m.mu.Unlock()
	if turn == schedule.Here && before != turn {
		go m.saw(id) // its first probe as the prober
	}
}

func (m *simulated) Tell(id string, t schedule.Told) {
	m.mu.Lock()
	news := m.told[id] != t.Version
	m.told[id] = t.Version
	m.mu.Unlock()
	if news && !strings.HasSuffix(t.Version, ".0") {
		select {
		case m.crowd.heard <- heard{id, t.Version, time.Now()}:
		default: // nobody waits for a change
		}
	}
}

func (m *simulated) Unsay(id string) {
	m.mu.Lock()
	delete(m.told, id)
	m.mu.Unlock()
}

func (m *simulated) Hold(string, time.Duration, string) {}

func (m *simulated) CheckSoon(id string) { go m.saw(id) }

func (m *simulated) Refresh(ids []string, _ bool) schedule.Accepted {
	for _, id := range ids {
		go m.saw(id)
	}
	return schedule.Accepted{IDs: ids}
}
