package outage_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/daemon/outage"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// seen is a probe that began some seconds after t0.
type seen struct {
	at    int
	saw   provider.Reason
	fault bool // nothing left this machine, or no resolver answered
}

var (
	timeout = func(at int) seen { return seen{at, provider.ConnectTimeout, false} }
	cut     = func(at int) seen { return seen{at, provider.DNSFailure, true} }
	fine    = func(at int) seen { return seen{at, provider.OK, false} }
)

// remote is a provider on a host, with what its probes saw.
type remote struct {
	host   string
	probes []seen
}

// A scene is played to its last probe, which is the last of the first remote; the
// others' came before it.
type scene struct {
	remotes []remote
	out     string   // why the machine is out at t0; empty: it is not
	dark    []string // hosts that the machine has no route to; "": the rest of the world
}

func (s scene) play(t *testing.T) outage.Verdict {
	t.Helper()
	var m outage.Machine
	online := func(host string) bool { return !slices.Contains(s.dark, host) && !slices.Contains(s.dark, "") }
	if s.out != "" {
		m, _ = m.LookAtClock(clocks(t0.Add(-time.Hour), t0.Add(-time.Hour)))
		m, _ = m.LookAtClock(clocks(t0, t0))
		m, _ = m.Lose(s.out, []string{"a"}, true, t0)
	}
	witnesses := make([]outage.Remote, len(s.remotes))
	type step struct{ remote, probe int }
	var order []step
	for i, r := range s.remotes {
		witnesses[i].Host = r.host
		for j := range r.probes {
			order = append(order, step{i, j})
		}
	}
	last := step{0, len(s.remotes[0].probes) - 1}
	slices.SortStableFunc(order, func(a, b step) int {
		switch {
		case a == last:
			return 1
		case b == last:
			return -1
		}
		return s.remotes[a.remote].probes[a.probe].at - s.remotes[b.remote].probes[b.probe].at
	})
	var verdict outage.Verdict
	for _, at := range order {
		p := s.remotes[at.remote].probes[at.probe]
		o := probe.Observation{Saw: p.saw, HostFault: p.fault, Began: t0.Add(time.Duration(p.at) * time.Second)}
		was := witnesses[at.remote].Witness
		witnesses[at.remote].Witness = was.Take(&o, witnesses[at.remote].Host, online)
		m, verdict = m.Probed(was, witnesses[at.remote].Witness, outage.Others{Remotes: slices.Values(witnesses), Online: online}, o.Began)
	}
	return verdict
}

func TestMachine_Probed(t *testing.T) {
	const cutOff, noNetwork = "no remote provider can be reached from this machine", "this machine has no network"
	for name, tc := range map[string]struct {
		scene scene
		want  outage.Verdict
	}{
		"OneThatAnswersIsFine": {scene{remotes: []remote{{"a", []seen{fine(0)}}, {"b", nil}}}, outage.Verdict{}},
		"TheFirstFailureHasTheOthersAsked": {scene{remotes: []remote{{"a", []seen{fine(0), timeout(10)}}, {"b", []seen{fine(5)}}}},
			outage.Verdict{Machine: judge.MachineInDoubt, Ask: true}},
		"TheSecondWaitsForThem": {scene{remotes: []remote{{"a", []seen{timeout(10), timeout(12)}}, {"b", []seen{fine(5)}}}},
			outage.Verdict{Machine: judge.MachineInDoubt}},
		"OneThatAnsweredSinceClearsThisMachine": {scene{remotes: []remote{{"a", []seen{cut(10), cut(14)}}, {"b", []seen{fine(12)}}}}, outage.Verdict{}},
		"WhoNeverAnsweredIsWaitedForNoLonger":   {scene{remotes: []remote{{"a", []seen{timeout(10), timeout(31)}}, {"b", nil}}}, outage.Verdict{}},
		"AllFailAndOneIsCutOff": {scene{remotes: []remote{{"a", []seen{timeout(10)}}, {"b", []seen{cut(9)}}}},
			outage.Verdict{Machine: judge.MachineOut, Lost: cutOff}},
		"AllAreSilentWhileThereIsARoute": {scene{remotes: []remote{{"a", []seen{timeout(10)}}, {"b", []seen{timeout(9)}}}}, outage.Verdict{}},
		"AllAreSilentWithoutARoute": {scene{remotes: []remote{{"a", []seen{timeout(10)}}, {"b", []seen{timeout(9)}}}, dark: []string{""}},
			outage.Verdict{Machine: judge.MachineOut, Lost: noNetwork}},
		"TwoOnOneHostAreOneWitness": {scene{remotes: []remote{{"a", []seen{cut(10)}}, {"a", []seen{cut(9)}}}}, outage.Verdict{}},
		"TheOnlyOneWithoutARoute": {scene{remotes: []remote{{"a", []seen{cut(10)}}}, dark: []string{""}},
			outage.Verdict{Machine: judge.MachineOut, Lost: noNetwork}},
		"TheOnlyOneWithARoute":         {scene{remotes: []remote{{"a", []seen{cut(10)}}}}, outage.Verdict{}},
		"WhoFailedLongAgoTellsNothing": {scene{remotes: []remote{{"a", []seen{cut(100)}}, {"b", []seen{timeout(9), timeout(99)}}}}, outage.Verdict{}},
		"NoSuchHostIsTheProviders":     {scene{remotes: []remote{{"a", []seen{{10, provider.DNSFailure, false}}}, {"b", []seen{cut(9)}}}}, outage.Verdict{}},
		"SilenceOnAConnectionIsTheirs": {scene{remotes: []remote{{"a", []seen{{10, provider.Hung, false}}}, {"b", []seen{cut(9)}}}}, outage.Verdict{}},
		"AnAnswerEndsAnOutage":         {scene{out: "slept", remotes: []remote{{"a", []seen{{1, provider.Unauthorized, false}}}, {"b", nil}}}, outage.Verdict{Back: "remote providers answer again"}},
		"SilenceDoesNot":               {scene{out: "slept", remotes: []remote{{"a", []seen{{1, provider.Hung, false}}}, {"b", nil}}}, outage.Verdict{Machine: judge.MachineOut}},
		"NorAProbeThatBroke":           {scene{out: "slept", remotes: []remote{{"a", []seen{{1, provider.ProbeFailed, false}}}, {"b", nil}}}, outage.Verdict{Machine: judge.MachineOut}},
		"AFailureIsHeldBackForAWhile":  {scene{out: "slept", remotes: []remote{{"a", []seen{timeout(9)}}}}, outage.Verdict{Machine: judge.MachineOut}},
		"ThenItIsTheProvidersIfThereIsARoute": {scene{out: "slept", remotes: []remote{{"a", []seen{timeout(9), timeout(11)}}}},
			outage.Verdict{Back: "this machine has a network, and what fails is the providers'"}},
		"WhoIsLeftAloneAndCutOffEndsNone": {scene{out: "cut off", remotes: []remote{{"a", []seen{cut(9), cut(11)}}}}, outage.Verdict{Machine: judge.MachineOut}},
		"AndOursIfThereIsNone":            {scene{out: "slept", remotes: []remote{{"a", []seen{timeout(9), timeout(11)}}}, dark: []string{"a"}}, outage.Verdict{Machine: judge.MachineOut}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.scene.play(t)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// An outage is one event at each edge, of those whom it is about; of nobody it is none.
func TestMachine_Edges(t *testing.T) {
	var m outage.Machine
	if again, event := m.Lose("slept", nil, true, t0); event != nil || again.Out() {
		t.Errorf("an outage of nobody: %+v", event)
	}
	m, lost := m.Lose("slept", []string{"a", "b"}, false, t0)
	if !m.Out() || m.LookAgain() >= (outage.Machine{}).LookAgain() {
		t.Error("its network is not looked for")
	}
	m, f := m.LookAtRoute(func(string) bool { return false })
	if f != (outage.Verdict{}) {
		t.Errorf("without a route: %+v", f)
	}
	m, f = m.LookAtRoute(func(string) bool { return true })
	if _, again := m.LookAtRoute(func(string) bool { return true }); !f.Ask || again.Ask {
		t.Errorf("with a route: %+v, and again %+v", f, again)
	}
	m, back := m.Regain("it is back", []string{"a"}, t0.Add(90*time.Second))
	if m.Out() {
		t.Error("still out")
	}
	want := []*provider.Event{
		{ID: provider.HostID, Time: provider.Time{Time: t0}, From: provider.StateRunning, To: provider.StateUnknown,
			Reason: provider.Offline, Detail: "slept", IDs: []string{"a", "b"}},
		{ID: provider.HostID, Time: provider.Time{Time: t0.Add(90 * time.Second)}, From: provider.StateUnknown, To: provider.StateRunning,
			Reason: provider.OK, Detail: "it is back, after 1m30s", IDs: []string{"a"}},
	}
	if diff := cmp.Diff(want, []*provider.Event{lost, back}); diff != "" {
		t.Error(diff)
	}
}

// clocks are those of a machine that does not tell how long it slept.
func clocks(mono, wall time.Time) outage.Clocks {
	return outage.Clocks{Mono: mono, Wall: wall, Asleep: -1}
}

// Sleep begins an outage, or makes one that goes on begin anew, and all are asked.
func TestMachine_LookAtClock(t *testing.T) {
	for name, out := range map[string]bool{"Fine": false, "Out": true} {
		t.Run(name, func(t *testing.T) {
			var m outage.Machine
			m, _ = m.LookAtClock(clocks(t0, t0))
			if out {
				m, _ = m.Lose("cut off", []string{"a"}, true, t0)
			}
			_, f := m.LookAtClock(clocks(t0.Add(time.Second), t0.Add(time.Hour)))
			if f.Anew == "" || (f.Lost == "") != out {
				t.Errorf("%+v", f)
			}
		})
	}
}
