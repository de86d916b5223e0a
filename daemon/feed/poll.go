package feed

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

const (
	// interval is the usual time between two polls of a feed. People write vendors' pages,
	// and caches keep them for a minute or so.
	interval = 2 * time.Minute
	// A feed that fails is polled again after soonest, which may be enough for a network to
	// come up, and then at intervals that double up to slowest. The feed may ask for
	// longer ones.
	soonest = time.Minute
	slowest = 5 * time.Minute
	// longestRest is the longest Retry-After that is honoured.
	longestRest = 24 * time.Hour
	// firstSpread spreads the first polls, as the first probes run at the same time.
	firstSpread = 5 * time.Second
	// lasts is the age at which a reading no longer counts.
	lasts = 15 * time.Minute
)

// News is a provider's reading, and how current it is.
type News struct {
	Reading Reading
	Step    provider.FeedStep
	Known   bool // false: never read, or too long ago
	Early   bool // not read yet; what was known before may still hold
}

// Options of a Poller. Tell is required.
type Options struct {
	// Tell receives the news of a provider after each poll. Each feed's goroutine calls it.
	Tell      func(id string, n News)
	Log       hclog.Logger                                                      // nil: silent
	UserAgent string                                                            // empty: "providerd"
	Random    func() float64                                                    // in [0,1); nil: rand.Float64
	Dial      func(ctx context.Context, network, addr string) (net.Conn, error) // nil: net's own
	Proxy     func(*http.Request) (*url.URL, error)                             // nil: http.ProxyFromEnvironment
}

// A Poller polls the feeds that providers follow, each only once, while it runs. If no
// provider follows a feed, it does nothing.
type Poller struct {
	o       Options
	log     hclog.Logger
	client  *http.Client
	wg      sync.WaitGroup
	mu      sync.Mutex
	ctx     context.Context // nil until Run
	sources map[string]*source
}

// New makes a Poller without feeds.
func New(o Options) *Poller {
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.UserAgent == "" {
		o.UserAgent = "providerd"
	}
	if o.Proxy == nil {
		o.Proxy = http.ProxyFromEnvironment
	}
	return &Poller{o: o, log: o.Log, client: newClient(&o), sources: map[string]*source{}}
}

// Run polls until ctx ends, and returns once all polls have ended.
func (p *Poller) Run(ctx context.Context) {
	p.mu.Lock()
	p.ctx = ctx
	for _, s := range p.sources {
		p.start(s)
	}
	p.mu.Unlock()
	<-ctx.Done()
	p.mu.Lock() // from now on no source starts
	defer p.mu.Unlock()
	p.wg.Wait()
}

// Follow sets the providers whose feeds are polled. A feed that is already polled goes on,
// and its new followers get the last reading.
func (p *Poller) Follow(list []config.Provider) {
	p.mu.Lock()
	defer p.mu.Unlock()
	followers := map[string]map[string]config.Feed{}
	for i := range list {
		f := list[i].Feed
		if f.URL == "" {
			continue
		}
		key := f.Format + " " + f.URL
		if followers[key] == nil {
			followers[key] = map[string]config.Feed{}
		}
		followers[key][list[i].ID] = f
	}
	for key, s := range p.sources {
		if followers[key] == nil {
			s.end()
			delete(p.sources, key)
		}
	}
	for key, by := range followers {
		if s := p.sources[key]; s != nil {
			s.follow(by)
			continue
		}
		s := &source{poller: p, followers: by, wake: make(chan struct{}, 1), end: func() {}}
		for _, f := range by {
			s.url, s.format = f.URL, f.Format
		}
		p.sources[key] = s
		if p.ctx != nil {
			p.start(s)
		}
	}
}

// start polls a source in a goroutine of its own. The caller holds mu.
func (p *Poller) start(s *source) {
	if p.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(p.ctx)
	s.end = cancel
	p.wg.Go(func() {
		defer cancel()
		s.run(ctx)
	})
}

// follow replaces a source's followers, and makes it tell the new ones.
func (s *source) follow(by map[string]config.Feed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if reflect.DeepEqual(s.followers, by) {
		return
	}
	s.followers = by
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
