// Package outage decides whether this machine is to blame: whether remote providers
// fail by themselves, or because the network here is out, the machine slept, or this
// process was held up. It is pure: (what is known of this machine, what a probe met, or the
// clocks, or the route) → (what is known then, what is to be done). The scheduler
// carries it out.
//
// It imports the values that it weighs, from daemon/probe, daemon/config and
// daemon/judge, and the vocabulary.
package outage

import (
	"fmt"
	"iter"
	"time"

	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/store/provider"
)

const (
	// doubtFor is how long a failure that may be this machine's is held back while
	// the other remote providers are asked: a kept connection that went silent takes
	// one timeout to be noticed, and a new one another.
	doubtFor = 20 * time.Second
	// graceFor is how long after failures began to be ours one that may be theirs is
	// not yet held against them.
	graceFor = 10 * time.Second
)

// A Machine is what is known of this machine. Its zero value is one that nothing is
// wrong with.
type Machine struct {
	since   time.Time // since when remote providers cannot be judged; zero: they can
	doubted time.Time // since when failures may be ours; zero: they are not
	routed  bool      // while out: the machine says that it has a network
	clock   clock
}

// Out reports whether remote providers cannot be judged.
func (m Machine) Out() bool { return !m.since.IsZero() }

// Others are the other witnesses, and the machine's own word. They are asked for only
// when something fails.
type Others struct {
	Remotes iter.Seq[Remote] // the remote providers that may be asked
	// Online reports whether this machine has a network that leads to a host; empty:
	// to the rest of the world.
	Online func(host string) bool
}

// A Verdict is what is to be done. Its zero value is nothing, with the probe judged as
// it is.
type Verdict struct {
	Machine judge.MachineState // how the probe is to be judged
	Lost    string             // why remote providers cannot be judged from now on; empty: no change
	Back    string             // why they can again; empty: no change
	Anew    string             // why nothing that is under way can be trusted; everybody is asked anew
	Ask     bool               // the remote providers whose last probe began before now
	Lapse   Lapse              // what became of the time since the last look at the clock
}

// Probed takes in what a probe of a remote provider met, after what it had met before.
// A failure that may be ours has the others asked, unless one of them answered since;
// whether all of them fail alike tells an outage of theirs from one of ours.
func (m Machine) Probed(was, is Witness, others Others, now time.Time) (Machine, Verdict) {
	switch {
	case is.met == reached && m.Out():
		return m, Verdict{Back: "remote providers answer again"}
	case m.Out():
		if now.Sub(m.doubted) < graceFor || m.weigh(others, now) != judge.MachineFine {
			return m, Verdict{Machine: judge.MachineOut}
		}
		return m, Verdict{Back: "this machine has a network, and what fails is the providers'"}
	case !is.fails():
		return m, Verdict{}
	}
	begins := !was.fails()
	if begins {
		m.doubted = now
	}
	switch m.weigh(others, now) {
	case judge.MachineOut:
		why := "no remote provider can be reached from this machine"
		if !others.Online("") {
			why = "this machine has no network"
		}
		return m, Verdict{Machine: judge.MachineOut, Lost: why}
	case judge.MachineInDoubt:
		return m, Verdict{Machine: judge.MachineInDoubt, Ask: begins}
	}
	return m, Verdict{}
}

// weigh weighs what is known of the remote providers that may be asked. That all are
// silent proves nothing while this machine has a route: those of one rack are switched
// off together. That one alone is cut off begins no outage, and ends none: the others
// of whom it was told may be paused or removed meanwhile.
func (m Machine) weigh(others Others, now time.Time) judge.MachineState {
	failing, cut, online, waiting := map[string]bool{}, false, false, 0
	for r := range others.Remotes {
		switch {
		case r.fails() && r.failed.Before(m.doubted.Add(-doubtFor)):
			// It failed long before, and so tells nothing of now.
		case r.fails():
			online = online || !failing[r.Host] && others.Online(r.Host)
			failing[r.Host] = true
			cut = cut || r.met == cutOff
		case r.met == reached && !r.heard.Before(m.doubted):
			return judge.MachineFine
		default:
			waiting++
		}
	}
	switch {
	case len(failing) == 0:
		return judge.MachineFine
	case waiting > 0 && now.Sub(m.doubted) < doubtFor:
		return judge.MachineInDoubt
	case cut && (len(failing) > 1 || m.Out()), !online:
		return judge.MachineOut
	}
	return judge.MachineFine
}

// Lose begins an outage of those ids, with one event for all; without one it is none.
func (m Machine) Lose(why string, ids []string, routed bool, now time.Time) (Machine, *provider.Event) {
	if len(ids) == 0 {
		return m, nil
	}
	m.since, m.routed = now, routed
	return m, &provider.Event{
		ID: provider.HostID, Time: provider.Time{Time: now}, From: provider.StateRunning, To: provider.StateUnknown,
		Reason: provider.Offline, Detail: why, IDs: ids,
	}
}

// Regain ends the outage of those ids.
func (m Machine) Regain(why string, ids []string, now time.Time) (Machine, *provider.Event) {
	lasted := now.Sub(m.since).Round(time.Second)
	m.since, m.doubted = time.Time{}, time.Time{}
	return m, &provider.Event{
		ID: provider.HostID, Time: provider.Time{Time: now}, From: provider.StateUnknown, To: provider.StateRunning,
		Reason: provider.OK, Detail: fmt.Sprintf("%s, after %s", why, lasted), IDs: ids,
	}
}

// Resume goes on with an outage that a restart fell into.
func (m Machine) Resume(since time.Time, routed bool, now time.Time) Machine {
	m.since, m.doubted, m.routed = since, now, routed
	return m
}

// LookAtRoute asks the remote providers when the machine says that its network is back.
func (m Machine) LookAtRoute(online func(host string) bool) (Machine, Verdict) {
	if !m.Out() || m.routed {
		return m, Verdict{}
	}
	m.routed = online("")
	return m, Verdict{Ask: m.routed}
}

// LookAtClock begins anew when the machine slept or this process was held up: what the
// probes under way would see are timeouts of ours. Remote providers are unknown until
// the first of them answers. A clock that was set harms none of them.
func (m Machine) LookAtClock(now Clocks) (Machine, Verdict) {
	f := Verdict{Lapse: m.clock.look(now)}
	if m.since == m.since.Round(0) && m.Out() { // it is the wall's alone, from before a restart
		m.since = m.since.Add(f.Lapse.Jumped)
	}
	why := f.Lapse.why()
	if why == "" {
		return m, f
	}
	m.doubted, f.Anew = now.Mono, why
	if !m.Out() {
		f.Lost = why
	}
	return m, f
}

// LookAgain is how soon, at the latest, the clock and the route are to be looked at.
func (m Machine) LookAgain() time.Duration {
	if m.Out() && !m.routed {
		return soonLook
	}
	return lookEvery
}
