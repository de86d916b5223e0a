package control

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/outage"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

func TestSummarise(t *testing.T) {
	const (
		running, stopped   = provider.StateRunning, provider.StateStopped
		degraded, unknown  = provider.StateDegraded, provider.StateUnknown
		ok, paused, hung   = provider.OK, provider.Paused, provider.Hung
		refused, unchecked = provider.ConnectionRefused, provider.NotChecked
	)
	base := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(second int) provider.Time {
		return provider.Time{Time: base.Add(time.Duration(second) * time.Second)}
	}
	event := func(second int, to provider.State, reason provider.Reason) provider.Event {
		return provider.Event{Time: at(second), ID: "a", To: to, Reason: reason}
	}
	machine := func(second int, to provider.State, reason provider.Reason) provider.Event {
		return provider.Event{Time: at(second), ID: provider.HostID, To: to, Reason: reason, IDs: []string{"a"}}
	}
	said := func(second int, to provider.State, reason provider.Reason) provider.Event {
		e := event(second, to, reason)
		e.Hearsay = true
		return e
	}
	covered := provider.Status{
		State: degraded, Reason: provider.RateLimited, Since: at(90),
		Hearsay: &provider.Hearsay{Over: &provider.Beneath{State: running, Reason: ok, Since: at(10)}},
	}
	row := func(state provider.State, reason provider.Reason, since provider.Time) provider.Status {
		return provider.Status{ID: "a", State: state, Reason: reason, Since: since}
	}
	type seconds = map[provider.State]float64
	recorded := func(second int, state provider.State, reason provider.Reason) rollup.Change {
		return rollup.Change{Time: at(second).Time, State: state, Reason: reason}
	}
	const now = 100
	for name, tt := range map[string]struct {
		events  []provider.Event
		row     provider.Status
		watched int // when the daemon started
		since   provider.Time
		ratio   float64 // negative: none
		seconds seconds
		changes []rollup.Change
	}{
		"Changes":             {[]provider.Event{event(0, stopped, refused), event(25, running, ok)}, provider.Status{}, 0, at(0), 0.75, seconds{stopped: 25, running: 75}, nil},
		"DegradedIsNotUp":     {[]provider.Event{event(0, running, ok), event(50, degraded, hung)}, provider.Status{}, 0, at(0), 0.5, seconds{running: 50, degraded: 50}, nil},
		"NotBeforeTheStart":   {[]provider.Event{event(0, stopped, refused), event(20, running, ok), event(90, stopped, refused)}, provider.Status{}, 80, at(80), 0.5, seconds{running: 10, stopped: 10}, nil},
		"SinceTheFirstChange": {[]provider.Event{event(60, running, ok)}, provider.Status{}, 10, at(60), 1, seconds{running: 40}, nil},
		"NotWhilePaused":      {[]provider.Event{event(0, running, ok), event(30, running, paused), event(90, stopped, refused)}, provider.Status{}, 0, at(0), 0.75, seconds{running: 30, stopped: 10}, nil},
		"NotWhileUnknown":     {[]provider.Event{event(0, unknown, unchecked), event(50, running, ok)}, provider.Status{}, 0, at(0), 1, seconds{running: 50}, nil},
		"NotWhileOffline": {[]provider.Event{event(0, degraded, hung), machine(10, unknown, provider.Offline), machine(80, running, ok)},
			provider.Status{}, 0, at(0), 0, seconds{degraded: 27}, []rollup.Change{recorded(10, unknown, provider.Offline), recorded(83, degraded, hung)}},
		"NorUntilTheFirstProbe": {[]provider.Event{event(0, running, ok), machine(10, unknown, provider.Offline), machine(80, running, ok)}, row(unknown, provider.Offline, at(10)), 0, at(0), 1, seconds{running: 10}, []rollup.Change{recorded(10, unknown, provider.Offline)}},
		"WhichTheRowHas":        {[]provider.Event{event(0, running, ok), machine(10, unknown, provider.Offline), machine(80, running, ok)}, row(running, ok, at(85)), 0, at(0), 1, seconds{running: 25}, nil},
		"OrHasAnEvent":          {[]provider.Event{event(0, running, ok), machine(10, unknown, provider.Offline), machine(80, running, ok), event(85, stopped, refused)}, provider.Status{}, 0, at(0), 0.4, seconds{running: 10, stopped: 15}, []rollup.Change{recorded(85, stopped, refused)}},
		"OfflineTwice": {[]provider.Event{event(0, running, ok), machine(10, unknown, provider.Offline), machine(20, running, ok), machine(50, unknown, provider.Offline), machine(70, running, ok)},
			provider.Status{}, 0, at(0), 1, seconds{running: 10 + 25 + 20}, []rollup.Change{recorded(0, running, ok), recorded(10, unknown, provider.Offline), recorded(25, running, ok), recorded(50, unknown, provider.Offline), recorded(80, running, ok)}},
		"OfflineAgainAtOnce": {[]provider.Event{event(0, running, ok), machine(10, unknown, provider.Offline), machine(20, running, ok), machine(21, unknown, provider.Offline), machine(70, running, ok)},
			provider.Status{}, 0, at(0), 1, seconds{running: 10 + 20}, []rollup.Change{recorded(10, unknown, provider.Offline), recorded(80, running, ok)}},
		"OfflineAloneIsKept": {[]provider.Event{machine(0, running, ok), event(50, running, ok)}, provider.Status{}, 0, at(0), 1, seconds{running: 50}, nil},
		"ClockSetBack":       {[]provider.Event{event(50, stopped, refused), event(40, running, ok)}, provider.Status{}, 0, at(50), 1, seconds{running: 50}, nil},
		"NoEventKept":        {nil, row(running, ok, at(10)), 60, at(60), 1, seconds{running: 40}, nil},
		"NoEventAndPaused":   {nil, row(running, paused, at(10)), 0, at(10), -1, seconds{}, nil},
		"NotWhatUsersSay":    {[]provider.Event{event(0, running, ok), said(20, degraded, provider.RateLimited), event(80, running, ok)}, provider.Status{}, 0, at(0), 1, seconds{running: 100}, nil},
		"NorInAnOutage": {[]provider.Event{event(0, running, ok), said(10, degraded, provider.RateLimited), machine(20, unknown, provider.Offline), machine(60, running, ok)},
			provider.Status{}, 0, at(0), 1, seconds{running: 55}, []rollup.Change{recorded(20, unknown, provider.Offline), recorded(65, running, ok)}},
		"NorOverARowWithoutEvents": {nil, covered, 0, at(10), 1, seconds{running: 90}, nil},
		"NeverChecked":             {nil, row(unknown, unchecked, provider.Time{}), 0, provider.Time{}, -1, seconds{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			tt.row.ID = "a"
			for i := range tt.events {
				tt.events[i].Seq = uint64(i + 1)
			}
			want := provider.HistoryReply{ID: "a", Since: tt.since, Transitions: tt.events}
			want.StateSeconds, want.UsableSeconds = tt.seconds, tt.seconds[running]
			for _, seconds := range tt.seconds {
				want.KnownSeconds += seconds
			}
			if tt.ratio >= 0 {
				want.UptimeRatio, want.UsableRatio = &tt.ratio, &tt.ratio
			}
			if tt.events == nil {
				want.Transitions = []provider.Event{}
			}
			got := summarise(&tt.row, store.Past{Events: tt.events}, tt.changes, outage.NewWatch(at(tt.watched).Time, 0), beginning{}, at(now).Time)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// If events are gone, the states are unknown: the time from the event before the gap to the one
// behind it counts for no state, and after the last gap the row has the state.
func TestSummarise_Gaps(t *testing.T) {
	base := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(second int) provider.Time {
		return provider.Time{Time: base.Add(time.Duration(second) * time.Second)}
	}
	event := func(seq uint64, id string, second int, to provider.State, reason provider.Reason) provider.Event {
		return provider.Event{Seq: seq, Time: at(second), ID: id, To: to, Reason: reason}
	}
	const running, stopped, unknown = provider.StateRunning, provider.StateStopped, provider.StateUnknown
	up := event(1, "a", 0, running, provider.OK)
	for name, tt := range map[string]struct {
		events  []provider.Event
		gaps    []provider.Gap
		since   int // of the row, which is STOPPED
		seconds map[provider.State]float64
	}{
		"BetweenEvents": {
			[]provider.Event{up, event(5, "a", 60, stopped, provider.Hung)}, []provider.Gap{{First: 2, Last: 4}}, 60,
			map[provider.State]float64{stopped: 40},
		},
		"BeforeTheFirst": {
			[]provider.Event{event(5, "a", 60, stopped, provider.Hung)}, []provider.Gap{{First: 2, Last: 4}}, 60,
			map[provider.State]float64{stopped: 40},
		},
		"AfterTheLast": {[]provider.Event{up}, []provider.Gap{{First: 2, Last: 4}}, 70, map[provider.State]float64{stopped: 30}},
		"None": {
			[]provider.Event{up, event(2, "a", 60, stopped, provider.Hung)}, nil, 60,
			map[provider.State]float64{running: 60, stopped: 40},
		},
		"TheMachineComesBackToWhatNobodyKnows": {
			[]provider.Event{up, event(5, provider.HostID, 20, unknown, provider.Offline), event(6, provider.HostID, 50, running, provider.OK)},
			[]provider.Gap{{First: 2, Last: 4}}, 0, map[provider.State]float64{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			row := provider.Status{ID: "a", State: stopped, Reason: provider.Hung, Since: at(tt.since)}
			got := summarise(&row, store.Past{Events: tt.events, Gaps: tt.gaps}, nil, outage.NewWatch(base, 0), beginning{}, at(100).Time)
			if diff := cmp.Diff(tt.seconds, got.StateSeconds); diff != "" || len(got.Gaps) != len(tt.gaps) {
				t.Errorf("gaps %v; (-want +got):\n%s", got.Gaps, diff)
			}
		})
	}
}

// Neither setting the clock nor time without watching counts for a state.
func TestSummarise_Clock(t *testing.T) {
	base := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const years = 10 * 365 * 24 * time.Hour
	at := func(d time.Duration) time.Time { return base.Add(d) }
	event := func(seq uint64, d time.Duration, to provider.State) provider.Event {
		return provider.Event{Seq: seq, Time: provider.Time{Time: at(d)}, ID: "a", To: to, Reason: provider.OK}
	}
	const running, stopped = provider.StateRunning, provider.StateStopped
	begun := outage.NewWatch(base, 10)
	for name, tt := range map[string]struct {
		watch   outage.Watch
		events  []provider.Event
		now     time.Duration
		since   time.Duration
		seconds map[provider.State]float64
	}{
		"SetForward": {
			begun.Missed(outage.Lapse{Jumped: years}, at(years+60*time.Second), 11, 11),
			[]provider.Event{event(11, 0, running)}, years + 100*time.Second, years,
			map[provider.State]float64{running: 100},
		},
		"SetBack": {
			begun.Missed(outage.Lapse{Jumped: -years}, at(-years+60*time.Second), 11, 11),
			[]provider.Event{event(11, 0, running), event(12, -years+80*time.Second, stopped)}, -years + 100*time.Second, -years,
			map[provider.State]float64{running: 80, stopped: 20},
		},
		"SetForwardAndBack": {
			begun.Missed(outage.Lapse{Jumped: years}, at(years+20*time.Second), 11, 11).
				Missed(outage.Lapse{Jumped: -years}, at(60*time.Second), 12, 12),
			[]provider.Event{event(11, 0, running), event(12, years+40*time.Second, stopped), event(13, 90*time.Second, running)}, 100 * time.Second, 0,
			map[provider.State]float64{running: 50, stopped: 50},
		},
		"Stopped": {
			begun.Missed(outage.Lapse{Held: 180 * time.Second}, at(240*time.Second), 11, 11),
			[]provider.Event{event(11, 0, running)}, 300 * time.Second, 0,
			map[provider.State]float64{running: 120},
		},
		"ToldByAClockThatWasAheadBeforeTheStart": {
			begun, []provider.Event{event(10, years, running), event(11, 60*time.Second, stopped)}, 100 * time.Second, 0,
			map[provider.State]float64{running: 60, stopped: 40},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := summarise(&provider.Status{ID: "a"}, store.Past{Events: tt.events}, nil, tt.watch, beginning{}, at(tt.now))
			if diff := cmp.Diff(tt.seconds, got.StateSeconds); diff != "" || !got.Since.Equal(at(tt.since)) {
				t.Errorf("since %s; (-want +got):\n%s", got.Since.Sub(base), diff)
			}
		})
	}
}

// If a history starts at a time or an event, what was before only determines its first state.
func TestSummarise_FromABeginning(t *testing.T) {
	base := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(second int) provider.Time {
		return provider.Time{Time: base.Add(time.Duration(second) * time.Second)}
	}
	event := func(seq uint64, second int, to provider.State) provider.Event {
		return provider.Event{Seq: seq, Time: at(second), ID: "a", To: to, Reason: provider.Hung}
	}
	const running, stopped = provider.StateRunning, provider.StateStopped
	events := []provider.Event{event(1, 0, running), event(5, 40, stopped), event(9, 80, running)}
	gaps := []provider.Gap{{First: 2, Last: 4}, {First: 10, Last: 11}}
	type seconds = map[provider.State]float64
	for name, tt := range map[string]struct {
		begin   beginning
		gaps    []provider.Gap
		first   int // of the events that are told
		since   int
		seconds seconds
		left    int // gaps
	}{
		"Nowhere":           {beginning{}, nil, 0, 0, seconds{running: 60, stopped: 40}, 0},
		"InTheMiddle":       {beginning{at: at(50).Time}, nil, 2, 50, seconds{running: 20, stopped: 30}, 0},
		"AtAnEvent":         {beginning{at: at(40).Time}, nil, 1, 40, seconds{running: 20, stopped: 40}, 0},
		"AfterAnEvent":      {beginning{after: 5, at: at(40).Time}, nil, 2, 40, seconds{running: 20, stopped: 40}, 0},
		"AfterTheLast":      {beginning{at: at(90).Time}, nil, 3, 90, seconds{running: 10}, 0},
		"BeforeTheFirst":    {beginning{at: at(-90).Time}, nil, 0, 0, seconds{running: 60, stopped: 40}, 0},
		"InTheFuture":       {beginning{at: at(900).Time}, nil, 3, 100, seconds{}, 0},
		"WithGaps":          {beginning{at: at(50).Time}, gaps, 2, 50, seconds{stopped: 30}, 1},
		"BeforeTheFirstGap": {beginning{at: at(10).Time}, gaps, 1, 10, seconds{stopped: 40}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			row := provider.Status{ID: "a", State: running, Reason: provider.Hung, Since: at(100)}
			got := summarise(&row, store.Past{Events: events, Gaps: tt.gaps}, nil, outage.NewWatch(base, 0), tt.begin, at(100).Time)
			if diff := cmp.Diff(tt.seconds, got.StateSeconds); diff != "" || !got.Since.Equal(at(tt.since).Time) || len(got.Gaps) != tt.left {
				t.Errorf("since %v, gaps %v; (-want +got):\n%s", got.Since, got.Gaps, diff)
			}
			if diff := cmp.Diff(append([]provider.Event{}, events[tt.first:]...), got.Transitions); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}
