//go:build linux

package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// inexact is how many seconds a history may differ from what was seen in all: times of events
// and of processes are not taken at the same moment.
const inexact = 0.25

// pastLife is how long a daemon is left dead, so that time in which nobody watched would show.
const pastLife = 100 * time.Millisecond

// A life is from when a daemon was started to when it ended.
type life struct{ began, ended time.Time }

// compareHistory checks the history against the lives of the daemon and against the events that
// were seen: no time in states is gone, counted twice, or counted while no daemon ran.
func (w *witness) compareHistory(d *daemon) error {
	var all provider.HistoriesReply
	if _, err := d.get("/api/history?window=2d&step=1h", &all); err != nil {
		return err
	}
	lives := d.lives()
	alive := 0.0
	for _, l := range lives {
		alive += l.ended.Sub(l.began).Seconds()
	}
	seen := w.spent(lives)
	for _, h := range all.Providers {
		if h.KnownSeconds > alive+inexact {
			w.fault(wrong, "%s is known for %.3f s, and daemons ran for %.3f s", h.ID, h.KnownSeconds, alive)
		}
		for state, seconds := range seen[h.ID] {
			if has := h.StateSeconds[state]; has < seconds-inexact {
				w.missing("%s was seen %s for %.3f s, and its history has %.3f s", h.ID, state, seconds, has)
			}
		}
	}
	if len(all.Providers) == 0 {
		return nil
	}
	return w.addsUp(d, all.Providers[len(lives)%len(all.Providers)].ID)
}

// addsUp checks that a history is the sum of its buckets.
func (w *witness) addsUp(d *daemon, id string) error {
	var h provider.HistoryReply
	if _, err := d.get(fmt.Sprintf("/api/providers/%s/history?window=2d&step=1h", id), &h); err != nil {
		return err
	}
	var sum provider.Spent
	var probes uint64
	for _, b := range h.Buckets {
		sum.Add(b.Spent)
		probes += b.Probes
	}
	differ := math.Abs(sum.KnownSeconds-h.KnownSeconds) > 0.01 || math.Abs(sum.UsableSeconds-h.UsableSeconds) > 0.01
	states := 0.0
	for state, seconds := range h.StateSeconds {
		states += seconds
		differ = differ || math.Abs(sum.StateSeconds[state]-seconds) > 0.01
	}
	if differ || h.Probed == nil || probes != h.Probed.Probes || math.Abs(states-h.KnownSeconds) > 0.01 {
		w.fault(wrong, "the history of %s does not add up: %+v, and its buckets %+v", id, h.Spent, sum)
	}
	return nil
}

// spent is how many seconds each provider was seen in each state: between two events in
// succession of the same daemon.
func (w *witness) spent(lives []life) map[string]map[provider.State]float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	spent, last := map[string]map[provider.State]float64{}, map[string]provider.Event{}
	for _, seq := range slices.Sorted(maps.Keys(w.events)) {
		e := w.events[seq]
		before, ok := last[e.ID]
		if e.Hearsay {
			continue
		}
		last[e.ID] = e
		if !ok || before.To == provider.StateUnknown || before.Reason == provider.Paused || acrossLives(lives, before.Time.Time, e.Time.Time) {
			continue
		}
		if spent[e.ID] == nil {
			spent[e.ID] = map[provider.State]float64{}
		}
		spent[e.ID][before.To] += max(0, e.Time.Sub(before.Time.Time).Seconds())
	}
	return spent
}

// acrossLives reports whether a daemon began between two times.
func acrossLives(lives []life, from, until time.Time) bool {
	return slices.ContainsFunc(lives, func(l life) bool { return l.began.After(from) && l.began.Before(until) })
}
