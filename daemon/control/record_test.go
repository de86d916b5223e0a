package control

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

var base = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func second(n int) time.Time { return base.Add(time.Duration(n) * time.Second) }

func change(at int, state provider.State, reason provider.Reason) rollup.Change {
	return rollup.Change{Time: second(at), State: state, Reason: reason}
}

// The spells of a window: what held at its beginning, what changed, and when nobody could tell.
// The outages follow from them.
func TestSpells_AndTheOutagesAmongThem(t *testing.T) {
	const (
		running, stopped, unknown = provider.StateRunning, provider.StateStopped, provider.StateUnknown
		degraded, starting        = provider.StateDegraded, provider.StateStarting
		ok, refused, hung         = provider.OK, provider.ConnectionRefused, provider.Hung
	)
	type spells []spell
	type outages []provider.Outage
	at := func(n int) provider.Time { return provider.Time{Time: second(n)} }
	open := provider.Time{}
	for name, tt := range map[string]struct {
		changes []rollup.Change
		dark    []rollup.Span
		spells  spells
		outages outages
	}{
		"Nothing": {nil, nil, spells{{second(0), unknown, ""}}, nil},
		"WhatHeldBefore": {
			[]rollup.Change{change(-50, stopped, refused), change(-20, running, ok)}, nil,
			spells{{second(0), running, ok}}, nil,
		},
		"AnOutage": {
			[]rollup.Change{change(-20, running, ok), change(10, stopped, refused), change(40, running, ok)}, nil,
			spells{{second(0), running, ok}, {second(10), stopped, refused}, {second(40), running, ok}},
			outages{{Began: at(10), Ended: at(40), Seconds: 30, State: stopped, Reason: refused}},
		},
		"OneThatChangesIsOne": {
			[]rollup.Change{change(0, running, ok), change(10, degraded, hung), change(15, stopped, refused), change(40, starting, provider.Loading), change(42, running, ok)}, nil,
			spells{{second(0), running, ok}, {second(10), degraded, hung}, {second(15), stopped, refused}, {second(40), starting, provider.Loading}, {second(42), running, ok}},
			outages{{Began: at(10), Ended: at(42), Seconds: 32, State: stopped, Reason: refused}},
		},
		"SlowIsUsable": {
			[]rollup.Change{change(0, running, ok), change(10, degraded, provider.Slow), change(40, running, ok)}, nil,
			spells{{second(0), running, ok}, {second(10), degraded, provider.Slow}, {second(40), running, ok}}, nil,
		},
		"StillDown": {
			[]rollup.Change{change(0, running, ok), change(90, stopped, refused)}, nil,
			spells{{second(0), running, ok}, {second(90), stopped, refused}},
			outages{{Began: at(90), Ended: open, Seconds: 10, State: stopped, Reason: refused}},
		},
		"NotWhileNobodyWatched": {
			[]rollup.Change{change(0, running, ok)}, []rollup.Span{{From: second(20), Until: second(30)}},
			spells{{second(0), running, ok}, {second(20), unknown, ""}, {second(30), running, ok}}, nil,
		},
		"AnOutageOverARestart": {
			[]rollup.Change{change(0, running, ok), change(10, stopped, refused), change(50, running, ok)}, []rollup.Span{{From: second(20), Until: second(30)}},
			spells{{second(0), running, ok}, {second(10), stopped, refused}, {second(20), unknown, ""}, {second(30), stopped, refused}, {second(50), running, ok}},
			outages{{Began: at(10), Ended: at(50), Seconds: 30, State: stopped, Reason: refused}},
		},
		"OneThatEndedWhileNobodyWatched": {
			[]rollup.Change{change(10, stopped, refused), change(30, running, ok)}, []rollup.Span{{From: second(20), Until: second(30)}},
			spells{{second(0), unknown, ""}, {second(10), stopped, refused}, {second(20), unknown, ""}, {second(30), running, ok}},
			outages{{Began: at(10), Ended: at(20), Seconds: 10, State: stopped, Reason: refused}},
		},
		"OneThatBeganAtTheEndOfTheWatch": {
			[]rollup.Change{change(0, running, ok), change(20, stopped, refused)}, []rollup.Span{{From: second(20), Until: second(30)}},
			spells{{second(0), running, ok}, {second(20), stopped, refused}, {second(20), unknown, ""}, {second(30), stopped, refused}},
			outages{{Began: at(20), Ended: open, Seconds: 70, State: stopped, Reason: refused}},
		},
		"PausedIsUnknown": {
			[]rollup.Change{change(0, running, ok), change(10, running, provider.Paused), change(60, running, ok)}, nil,
			spells{{second(0), running, ok}, {second(10), unknown, provider.Paused}, {second(60), running, ok}}, nil,
		},
		"DownThenPausedForGood": {
			[]rollup.Change{change(0, stopped, refused), change(10, stopped, provider.Paused)}, nil,
			spells{{second(0), stopped, refused}, {second(10), unknown, provider.Paused}},
			outages{{Began: at(0), Ended: open, Seconds: 10, State: stopped, Reason: refused}},
		},
		"UnwatchedSinceBeforeTheWindow": {
			[]rollup.Change{change(-90, running, ok)}, []rollup.Span{{From: second(-50), Until: second(10)}, {From: second(-60), Until: second(5)}},
			spells{{second(0), unknown, ""}, {second(10), running, ok}}, nil,
		},
		"ClockSetBack": {
			[]rollup.Change{change(50, stopped, refused), change(40, running, ok)}, nil,
			spells{{second(0), unknown, ""}, {second(50), running, ok}}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := spellsIn(&store.Record{Changes: tt.changes, Unwatched: tt.dark}, second(0), second(100))
			if diff := cmp.Diff(tt.spells, spells(got), cmp.AllowUnexported(spell{})); diff != "" {
				t.Errorf("spells (-want +got):\n%s", diff)
			}
			o := outagesIn(got, second(100), 60*time.Second)
			if diff := cmp.Diff(tt.outages, outages(o.Last)); diff != "" || o.Count != len(tt.outages) {
				t.Errorf("%d outages (-want +got):\n%s", o.Count, diff)
			}
		})
	}
}

// All outages are counted, but only the last ones are described.
func TestOutages_AreBounded(t *testing.T) {
	var rec store.Record
	for i := range 250 {
		rec.Changes = append(rec.Changes, change(10*i, provider.StateRunning, provider.OK), change(10*i+8, provider.StateStopped, provider.ConnectionRefused))
	}
	spells := spellsIn(&rec, second(0), second(2500))
	got := outagesIn(spells, second(2500), 2000*time.Second)
	want := provider.Outages{Count: 250, Seconds: 500, LongestSeconds: 2, MeanBetweenSeconds: 8}
	last := got.Last
	if got.Last = nil; !cmp.Equal(*got, want) || len(last) != maxOutages {
		t.Errorf("%+v, and %d described", *got, len(last))
	}
	if first := last[0].Began; !first.Equal(second(10*150 + 8)) {
		t.Errorf("the first one described began %s after the first one", first.Sub(base))
	}
}
