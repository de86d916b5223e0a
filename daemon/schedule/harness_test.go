package schedule

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// harness is a scheduler with a real store, and providers that the test plays. It runs in a synctest
// bubble: time stands still unless all goroutines wait.
type harness struct {
	t     *testing.T
	path  string
	store *store.Store
	*Scheduler
	stop func()

	mu    sync.Mutex
	plays map[string]func(ctx context.Context, n int) probe.Observation
	began map[string][]time.Time
	asks  map[string][]probe.Ask
	now   map[string]int // probes under way
	most  map[string]int
	open  int             // probers not closed
	kept  map[string]bool // connections, between probes
}

func newHarness(t *testing.T, o Options) *harness {
	w := &harness{
		t: t, path: filepath.Join(t.TempDir(), "p.db"), plays: map[string]func(context.Context, int) probe.Observation{},
		began: map[string][]time.Time{}, asks: map[string][]probe.Ask{},
		now: map[string]int{}, most: map[string]int{}, kept: map[string]bool{},
	}
	var err error
	if w.store, err = store.Open(w.path, store.Options{First: 1}); err != nil {
		t.Fatal(err)
	}
	o.Store = w.store
	o.NewProber = func(p *config.Provider) (Prober, error) {
		if p.BaseURL == "bad" {
			return nil, errors.New("bad address")
		}
		w.mu.Lock()
		w.open++
		w.mu.Unlock()
		return &player{w: w, id: p.ID}, nil
	}
	if o.Random == nil {
		o.Random = func() float64 { return 0.5 } // no jitter
	}
	w.Scheduler = New(o)
	return w
}

// restart closes the store and opens it again, as the next process would.
func (w *harness) restart() {
	w.t.Helper()
	if err := w.store.Close(); err != nil {
		w.t.Fatal(err)
	}
	var err error
	if w.store, err = store.Open(w.path, store.Options{First: 1}); err != nil {
		w.t.Fatal(err)
	}
	w.o.Store = w.store
}

// run starts the scheduler; the returned harness is stopped at the test's end.
func (w *harness) run() *harness {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(ctx)
	}()
	w.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		if err := w.store.Close(); err != nil {
			w.t.Error(err)
		}
		if w.open != 0 {
			w.t.Errorf("%d probers were not closed", w.open)
		}
		for id, most := range w.most {
			if most > 1 {
				w.t.Errorf("%s had %d probes in flight", id, most)
			}
		}
	})
	w.t.Cleanup(w.stop)
	return w
}

func (w *harness) apply(list ...config.Provider) Changes {
	w.t.Helper()
	c, err := w.Apply(list)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// play sets how a provider answers; n counts its probes from 1.
func (w *harness) play(id string, f func(ctx context.Context, n int) probe.Observation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.plays[id] = f
}

func (w *harness) probes(id string) []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]time.Time(nil), w.began[id]...)
}

func (w *harness) asked(id string) []probe.Ask {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]probe.Ask(nil), w.asks[id]...)
}

func (w *harness) row(id string) provider.Status { return w.store.View().Row(id).Status }

// player is the prober of one provider.
type player struct {
	w  *harness
	id string
}

func (p *player) Probe(ctx context.Context, ask probe.Ask) probe.Observation {
	w := p.w
	w.mu.Lock()
	began := time.Now()
	w.began[p.id] = append(w.began[p.id], began)
	w.asks[p.id] = append(w.asks[p.id], ask)
	n := len(w.began[p.id])
	w.now[p.id]++
	w.most[p.id] = max(w.most[p.id], w.now[p.id])
	f := w.plays[p.id]
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.now[p.id]--
		w.kept[p.id] = true
		w.mu.Unlock()
	}()
	o := probe.Observation{Saw: provider.OK, Latency: time.Millisecond}
	if f != nil {
		o = f(ctx, n)
	}
	o.Began, o.Took = began, time.Since(began)
	return o
}

func (p *player) Part() {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.w.kept[p.id] = false
}

func (p *player) Close() {
	p.Part()
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.w.open--
}

func (w *harness) keeps(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.kept[id]
}

func settings(id string) config.Provider {
	return config.Provider{
		ID: id, Kind: "http", Type: provider.Local, BaseURL: "http://127.0.0.1:1", Endpoint: "http://127.0.0.1:1",
		Interval: 10 * time.Second, Timeout: 1500 * time.Millisecond, SlowAfter: time.Second, Rise: 1, Fall: 2,
	}
}

func cloud(id string) config.Provider {
	p := settings(id)
	p.Type, p.BaseURL, p.Endpoint = provider.Cloud, "https://api.example.com", "https://api.example.com"
	p.Interval, p.Timeout = time.Minute, 5*time.Second
	return p
}

// silence does not answer until the timeout.
func silence(timeout time.Duration) func(context.Context, int) probe.Observation {
	return func(ctx context.Context, _ int) probe.Observation {
		select {
		case <-time.After(timeout):
		case <-ctx.Done():
		}
		return probe.Observation{Saw: provider.Hung}
	}
}

func always(reason provider.Reason) func(context.Context, int) probe.Observation {
	return func(context.Context, int) probe.Observation { return probe.Observation{Saw: reason} }
}
