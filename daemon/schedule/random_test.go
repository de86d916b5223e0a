package schedule

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// Whatever people, callers, vendors and reloads do meanwhile, no outage of this machine becomes an
// event of a provider. In this test names only fail to resolve because of this machine.
func TestMachine_NoOutageOfOursIsToldAsTheirs(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { playRandomOutages(t, seed) })
		})
	}
}

func playRandomOutages(t *testing.T, seed uint64) {
	random, jitter := rand.New(rand.NewPCG(seed, 7)), rand.New(rand.NewPCG(seed, 8))
	var mu sync.Mutex // the scheduler asks from several goroutines
	w := newHarness(t, Options{Random: func() float64 {
		mu.Lock()
		defer mu.Unlock()
		return jitter.Float64()
	}})
	var cut, ill atomic.Bool
	ids := []string{"b", "c", "d"}
	list := append(ids[:0:0], ids...)
	configured := func() {
		all := []config.Provider{settings("local")}
		for _, id := range list {
			p := followed(id)
			p.BaseURL = "https://" + id + ".example.com"
			all = append(all, p)
		}
		w.apply(all...)
	}
	for _, id := range ids {
		w.play(id, func(ctx context.Context, _ int) probe.Observation {
			time.Sleep(50 * time.Millisecond)
			switch {
			case cut.Load():
				return probe.Observation{Saw: provider.DNSFailure, HostFault: true}
			case ill.Load() && id == "d":
				return probe.Observation{Saw: provider.ServerError, Latency: time.Millisecond}
			}
			return probe.Observation{Saw: provider.OK, Latency: time.Millisecond}
		})
	}
	configured()
	w.run()
	time.Sleep(5 * time.Second)
	paused := false
	var log []string
	for range 40 {
		did := ""
		switch random.IntN(9) {
		case 0, 1:
			if !paused { // two that are asked tell an outage; one alone does not
				cut.Store(!cut.Load())
				did = fmt.Sprint("cut ", cut.Load())
				time.Sleep(90 * time.Second) // each was due once
			}
		case 2:
			paused = !paused
			_ = w.SetPaused("b", paused)
			did = fmt.Sprint("pause ", paused)
		case 3:
			_ = w.Report(ids[random.IntN(3)], provider.Report{Error: "timeout"}, "uid 1")
			did = "report"
		case 4:
			w.Refresh(nil, true)
			did = "refresh"
		case 5:
			ill.Store(!ill.Load())
			did = fmt.Sprint("ill ", ill.Load())
		case 6:
			w.ApplyVendorStatus("c", [...]*provider.Incident{nil, outageOf("Errors")}[random.IntN(2)], &provider.FeedStep{URL: feedURL})
			did = "vendor"
		case 7:
			if cut.Load() && len(list) == 3 {
				list = list[:2]
			} else {
				list = append(list[:0:0], ids...)
			}
			configured()
			did = fmt.Sprint("reload ", list)
		}
		log = append(log, did)
		time.Sleep(time.Duration(random.Int64N(int64(40 * time.Second))))
	}
	cut.Store(false)
	_ = w.SetPaused("b", false)
	time.Sleep(2 * time.Minute)
	synctest.Wait()
	events, err := w.store.Events(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	last := map[string]provider.State{}
	for _, e := range events {
		if e.ID != provider.HostID && (e.Reason == provider.DNSFailure || e.Reason == provider.Offline) {
			t.Errorf("after %q an outage of ours is told as one of %s: %+v", log, e.ID, e)
		}
		if from, known := last[e.ID]; known && e.ID != provider.HostID && e.From != from {
			t.Errorf("after %q an event of %s begins from %s, and the last ended in %s", log, e.ID, e.From, from)
		}
		last[e.ID] = e.To
	}
	for _, id := range []string{"b", "c"} {
		if st := w.row(id); st.State != provider.StateRunning && st.Reason != provider.VendorIncident {
			t.Errorf("after %q %s is %s %s in the end", log, id, st.State, st.Reason)
		}
	}
}
