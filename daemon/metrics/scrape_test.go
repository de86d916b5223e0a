package metrics_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// A stalled reader takes its first piece, and then nothing until it is let go.
type stalled struct {
	strings.Builder
	once  sync.Once
	reads chan struct{} // closed when it has begun
	goOn  chan struct{}
}

func (w *stalled) Write(b []byte) (int, error) {
	w.once.Do(func() { close(w.reads); <-w.goOn })
	return w.Builder.Write(b)
}

// While somebody reads a scrape slowly, providers are probed, read, configured and
// scraped by others.
func TestScrape_SlowReaderHoldsUpNobody(t *testing.T) {
	var providers []*scripted
	for i := range 300 {
		providers = append(providers, well(fmt.Sprint("p", i), "ollama", 1))
	}
	r := newRig(t, providers...)
	scrape, err := r.metrics.Scrape()
	if err != nil {
		t.Fatal(err)
	}
	w := &stalled{reads: make(chan struct{}), goOn: make(chan struct{})}
	done := make(chan error, 1)
	go func() { _, err := scrape.WriteTo(w); done <- err }()
	<-w.reads
	r.refresh() // fails when it takes a minute
	r.schedule.Stats()
	if text := r.text(); !strings.Contains(text, `probes_total{outcome="ok",provider="p299"} 2`+"\n") {
		t.Error("another scrape does not tell of the probes meanwhile")
	}
	r.apply(providers[:299]...)
	if text := r.text(); strings.Contains(text, `provider="p299"`) {
		t.Error("another scrape tells of who is gone")
	}
	select {
	case err := <-done:
		t.Errorf("the slow reader is done: %v", err)
	default:
	}
	close(w.goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if text := w.String(); !strings.Contains(text, `probes_total{outcome="ok",provider="p299"} 1`+"\n") {
		t.Error("the slow reader does not get what was so when it asked")
	}
	families(t, w.String())
}

// Scrapes at once each tell all of it.
func TestScrape_AtOnce(t *testing.T) {
	var providers []*scripted
	for i := range 200 {
		providers = append(providers, well(fmt.Sprint("p", i), "ollama", 1))
	}
	r := newRig(t, providers...)
	stop, probing := make(chan struct{}), sync.WaitGroup{}
	probing.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				r.schedule.Refresh(nil, true)
				r.schedule.KeepLatencies(r.schedule.Stats().Refreshes%2 == 0)
				runtime.Gosched()
			}
		}
	})
	var scrapers sync.WaitGroup
	for range 4 {
		scrapers.Go(func() {
			for range 5 {
				if n := strings.Count(r.text(), "\nproviderd_provider_info{"); n != len(providers) {
					t.Errorf("%d of %d providers", n, len(providers))
				}
			}
		})
	}
	scrapers.Wait()
	close(stop)
	probing.Wait()
}

// A scraper that goes away ends the scrape.
func TestScrape_EndsWithItsReader(t *testing.T) {
	r := newRig(t, well("a", "ollama", 1))
	scrape, err := r.metrics.Scrape()
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("gone")
	if _, err := scrape.WriteTo(writerFunc(func([]byte) (int, error) { return 0, gone })); !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// A scrape makes no copy of its text, and keeps nothing of it.
func TestScrape_TakesLittleMemory(t *testing.T) {
	const n = 3000
	var providers []*scripted
	for i := range n {
		providers = append(providers, well(fmt.Sprint("provider-", i), "ollama", 1))
	}
	r := newRig(t, providers...)
	var bytes int64
	scrape := func() {
		s, err := r.metrics.Scrape()
		if err == nil {
			bytes, err = s.WriteTo(io.Discard)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	scrape() // the library keeps what it needs once
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	scrape()
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > uint64(bytes)/2 {
		t.Errorf("a scrape of %d bytes takes %d bytes of memory", bytes, took)
	}
}
