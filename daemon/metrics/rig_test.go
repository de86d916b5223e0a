package metrics_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/daemon/metrics"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A rig is all that counts in a daemon, with providers that answer as they are told
// to, and only when somebody asks.
type rig struct {
	t        testing.TB
	dir      string
	store    *store.Store
	schedule *schedule.Scheduler
	metrics  *metrics.Metrics
	control  *control.Server
	fleet    provider.FleetReply
}

// A scripted provider sees the same each time.
type scripted struct {
	config.Provider
	sees probe.Observation
}

// Probe implements [schedule.Prober].
func (p *scripted) Probe(context.Context, probe.Ask) probe.Observation {
	o := p.sees
	o.Began, o.Took = time.Now(), o.Latency
	return o
}

// Part implements [schedule.Prober].
func (p *scripted) Part() {}

// Close implements [schedule.Prober].
func (p *scripted) Close() {}

// newRig has asked every provider once.
func newRig(t testing.TB, providers ...*scripted) *rig {
	t.Helper()
	dir, err := os.MkdirTemp("", "pm") // short: a socket's path has 104 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	r := &rig{t: t, dir: dir}
	if r.store, err = store.Open(filepath.Join(dir, "p.db"), store.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.store.Close() })
	script := map[string]*scripted{}
	for _, p := range providers {
		script[p.ID] = p
	}
	r.schedule = schedule.New(schedule.Options{
		Store: r.store, NewProber: func(p *config.Provider) (schedule.Prober, error) { return script[p.ID], nil },
	})
	r.control = control.New(control.Options{
		Store: r.store, Providers: r.schedule, Metrics: func() (io.WriterTo, error) { return r.metrics.Scrape() },
	})
	r.metrics = metrics.New(metrics.Sources{
		Version: "test", Store: r.store, Schedule: r.schedule, Control: r.control,
		Health: func() provider.Health { return provider.Health{Checks: map[string]string{"store": "ok"}} },
		Sinks: func() []provider.NotifySink {
			return []provider.NotifySink{
				{ID: "phone", Sent: 3, Refused: 2, Waiting: 1, Dead: 2, Oldest: provider.Time{Time: time.UnixMilli(1_700_000_000_500)}},
				{ID: "quiet", Waiting: 1, Oldest: provider.Time{Time: time.Unix(1, 0)}, QuietUntil: provider.Time{Time: time.Unix(2, 0)}},
			}
		},
		Fleet: func() provider.FleetReply { return r.fleet },
	})
	r.apply(providers...)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); r.schedule.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	r.refresh()
	return r
}

func (r *rig) apply(providers ...*scripted) {
	r.t.Helper()
	var list []config.Provider
	for _, p := range providers {
		list = append(list, p.Provider)
	}
	if _, err := r.schedule.Apply(list); err != nil {
		r.t.Fatal(err)
	}
}

// refresh has every provider asked, and waits until all of it can be read.
func (r *rig) refresh() {
	r.t.Helper()
	accepted := r.schedule.Refresh(nil, true)
	late := time.After(time.Minute)
	for _, id := range accepted.IDs {
		for {
			newer := r.store.Changed(id)
			if row := r.store.View().Row(id); row.Status.Generation >= accepted.Generation && !r.store.Waiting(id) {
				break
			}
			select {
			case <-newer:
			case <-late:
				r.t.Fatalf("%s was not asked", id)
			}
		}
	}
}

// text is what a scrape says.
func (r *rig) text() string {
	r.t.Helper()
	scrape, err := r.metrics.Scrape()
	if err != nil {
		r.t.Fatal(err)
	}
	var b bytes.Buffer
	n, err := scrape.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		r.t.Fatalf("%d of %d bytes: %v", n, b.Len(), err)
	}
	return b.String()
}

// well is a provider of that kind that is well, and lists models where it has some.
func well(id, kind string, models int) *scripted {
	p := &scripted{
		Provider: config.Provider{
			ID: id, Kind: kind, Type: provider.Local, BaseURL: "http://127.0.0.1:1", Endpoint: "http://127.0.0.1:1",
			Interval: 24 * time.Hour, Timeout: time.Minute, SlowAfter: time.Minute, Rise: 1, Fall: 1,
		},
		sees: probe.Observation{Saw: provider.OK, Latency: 1230 * time.Microsecond},
	}
	for i := range models {
		p.sees.Facts.Models = append(p.sees.Facts.Models, provider.Model{ID: fmt.Sprint("model-", i)})
	}
	return p
}

// sees is a provider that is not well.
func sees(id, kind string, saw provider.Reason) *scripted {
	p := well(id, kind, 0)
	p.sees = probe.Observation{Saw: saw}
	return p
}
