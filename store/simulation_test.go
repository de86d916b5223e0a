package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// keptEvents is small, so that simulations reach it.
const keptEvents = 12

// compactEvery is more than the time between two compactions.
const compactEvery = 61 * time.Minute

// A simulation runs a store beside a model of it: a slice and a map.
type simulation struct {
	t    *rapid.T
	dir  string
	path string
	s    *store.Store

	order  []string
	rows   map[string]provider.Status // the last that was put
	events []provider.Event           // all that ever were; seq is the index + 1
	crash  int
}

// TestStore_Simulation puts, configures, compacts, closes and crashes at random.
func TestStore_Simulation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		run := 0
		// It would ask a *testing.T for the deadline, which a bubble does not have.
		rapid.Check(struct{ rapid.TB }{t}, func(rt *rapid.T) {
			run++
			sim := &simulation{t: rt, dir: filepath.Join(dir, fmt.Sprint(run)), rows: make(map[string]provider.Status)}
			sim.path = filepath.Join(sim.dir, "0.db")
			sim.open()
			defer func() { _ = sim.s.Close() }()
			rt.Repeat(map[string]func(*rapid.T){
				"put":       sim.put,
				"configure": sim.configure,
				"wait":      func(*rapid.T) { time.Sleep(500 * time.Millisecond) },
				"minute":    func(*rapid.T) { time.Sleep(time.Minute); sim.compare() },
				"compact":   func(*rapid.T) { time.Sleep(compactEvery); sim.compare() },
				"reopen":    func(*rapid.T) { sim.close(); sim.open(); sim.compare() },
				"crash":     sim.crashed,
			})
			sim.close()
			mustBeSound(t, sim.path)
			if t.Failed() {
				rt.Fatal("the file is not sound")
			}
		})
	})
}

func (sim *simulation) open() {
	s, err := store.Open(sim.path, store.Options{KeepEvents: keptEvents, First: 1, CompactFrom: 1})
	if err != nil {
		sim.t.Fatal(err)
	}
	s.Configure(sim.order, nil)
	sim.s = s
}

func (sim *simulation) close() {
	if err := sim.s.Close(); err != nil {
		sim.t.Fatal(err)
	}
}

func (sim *simulation) put(t *rapid.T) {
	for range rapid.IntRange(1, 10).Draw(t, "puts") {
		id := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "id")
		detail := rapid.StringN(0, 20, -1).Draw(t, "detail")
		u := result(id, sim.rows[id].State, detail)
		if rapid.Bool().Draw(t, "changed") {
			u = change(id, rapid.SampledFrom(provider.States[:]).Draw(t, "state"), detail)
		}
		sim.s.Put(u)
		if !slices.Contains(sim.order, id) {
			continue
		}
		sim.rows[id] = u.Status
		if u.Event != nil {
			sim.events = append(sim.events, *u.Event)
		}
	}
}

func (sim *simulation) configure(t *rapid.T) {
	sim.sync() // what is dropped of what is pending depends on the moment
	order := rapid.SliceOfDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d"}), rapid.ID).Draw(t, "order")
	fresh := make(map[string]store.Update)
	rows := make(map[string]provider.Status)
	for _, id := range order {
		row, known := sim.rows[id]
		if !known || rapid.Bool().Draw(t, "fresh") {
			u := result(id, provider.StateUnknown, "fresh")
			fresh[id], row = u, u.Status
		}
		rows[id] = row
	}
	sim.s.Configure(order, fresh)
	sim.order, sim.rows = order, rows
}

// sync waits until everything is on the disk and in view.
func (sim *simulation) sync() {
	time.Sleep(5 * time.Second)
	synctest.Wait()
}

// compare checks every row and every event.
func (sim *simulation) compare() {
	sim.sync()
	v := sim.s.View()
	if got := idsOf(v); !slices.Equal(got, sim.order) {
		sim.t.Fatalf("order %v, want %v", got, sim.order)
	}
	for id, want := range sim.rows {
		if got := v.Row(id).Status; got.State != want.State || got.Detail != want.Detail {
			sim.t.Fatalf("row %s is %s %q, want %s %q", id, got.State, got.Detail, want.State, want.Detail)
		}
	}
	sim.compareEvents(len(sim.events))
}

// compareEvents checks that the newest of n events are kept, through both ways of access.
func (sim *simulation) compareEvents(n int) {
	if got := sim.s.View().Seq(); got != uint64(n) {
		sim.t.Fatalf("seq %d, want %d", got, n)
	}
	kept, err := sim.s.Events(0, 0)
	if err != nil {
		sim.t.Fatal(err)
	}
	if want := min(n, keptEvents); len(kept) != want {
		sim.t.Fatalf("%d events are kept, want %d", len(kept), want)
	}
	byID := make(map[string][]uint64)
	for i, got := range kept {
		seq := n - len(kept) + i + 1
		want := sim.events[seq-1]
		if got.Seq != uint64(seq) || got.ID != want.ID || got.To != want.To || got.Detail != want.Detail {
			sim.t.Fatalf("event %d is %+v, want %+v", seq, got, want)
		}
		byID[got.ID] = append(byID[got.ID], got.Seq)
	}
	for id, want := range byID {
		past, err := sim.s.EventsOf(id)
		if err != nil {
			sim.t.Fatal(err)
		}
		var got []uint64
		for _, e := range past.Events {
			got = append(got, e.Seq)
		}
		if !slices.Equal(got, want) {
			sim.t.Fatalf("events of %s are %v, want %v", id, got, want)
		}
	}
}

// crashed continues with a copy of the file, as a kill would have left it. It contains what
// was published, and nothing else.
func (sim *simulation) crashed(t *rapid.T) {
	synctest.Wait()
	seen := sim.s.View()
	states := make(map[string]provider.State)
	for i := range seen.Len() {
		states[seen.At(i).Status.ID] = seen.At(i).Status.State
	}
	data, err := os.ReadFile(sim.path)
	if err != nil {
		t.Fatal(err)
	}
	sim.close()
	sim.crash++
	sim.path = filepath.Join(sim.dir, fmt.Sprint(sim.crash, ".db"))
	if err := os.WriteFile(sim.path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	sim.open()
	sim.compareEvents(int(seen.Seq()))
	sim.events = sim.events[:seen.Seq()]
	changed := make(map[string]bool)
	for _, e := range sim.events {
		changed[e.ID] = true
	}
	for _, id := range sim.order {
		row := sim.s.View().Row(id).Status
		if changed[id] && row.State != states[id] {
			t.Fatalf("%s was seen %s, and is %s after a crash", id, states[id], row.State)
		}
		sim.rows[id] = row
	}
}
