// Package outage decides whether this machine is to blame: whether remote providers fail
// by themselves, or because the network here is down, the machine slept, or this process
// was held up. It is pure: (state of this machine; a probe's result, the clocks or the
// route) → (new state, verdict). The scheduler carries the verdict out.
//
// It imports the values that it judges from daemon/probe, daemon/config and daemon/judge,
// and the vocabulary.
package outage

import (
	"fmt"
	"iter"
	"time"

	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/store/provider"
)

const (
	// doubtFor is how long a failure that may be this machine's is held back while the other
	// remote providers are probed: it takes one timeout to notice that a kept connection is
	// dead, and another for a new connection.
	doubtFor = 20 * time.Second
	// graceFor is how long after this machine's failures began a failure that may be a
	// provider's own is not yet held against it.
	graceFor = 10 * time.Second
)

// A Machine is what is known of this machine. The zero value means that nothing is wrong.
type Machine struct {
	since   time.Time // since when remote providers cannot be judged; zero if they can
	doubted time.Time // since when failures may be this machine's; zero if they are not
	routed  bool      // during an outage: the machine has a route
	clock   clock
}

// Out reports whether remote providers cannot be judged.
func (m Machine) Out() bool { return !m.since.IsZero() }

// Others are the other remote providers and this machine's routes. They are consulted only
// when something fails.
type Others struct {
	Remotes iter.Seq[Remote] // the remote providers that may be probed
	// Online reports whether this machine has a route to a host; empty: to the internet.
	Online func(host string) bool
}

// A Verdict is what to do. The zero value means nothing, and to judge the probe as usual.
type Verdict struct {
	Machine judge.MachineState // how to judge the probe
	Lost    string             // why remote providers cannot be judged from now on; empty: no change
	Back    string             // why they can again; empty: no change
	Anew    string             // why probes in progress cannot be trusted, and all providers must be probed again; empty: they can
	Ask     bool               // probe the remote providers whose last probe began before now
	Lapse   Lapse              // since the last check of the clock
}

// Probed takes in a probe's result from a remote provider, given its previous one. A
// failure that may be this machine's makes the others be probed, unless one of them has
// answered since. If all of them fail alike, it is this machine.
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

// weigh judges from what is known of the remote providers that may be probed. If all time
// out, that proves nothing while this machine has a route: the servers in one rack are
// switched off together. A single provider that is cut off neither begins an outage nor
// ends one, as the others in that outage may have been paused or removed since.
func (m Machine) weigh(others Others, now time.Time) judge.MachineState {
	failing, cut, online, waiting := map[string]bool{}, false, false, 0
	for r := range others.Remotes {
		switch {
		case r.fails() && r.failed.Before(m.doubted.Add(-doubtFor)):
			// It has been failing for long, and so says nothing about now.
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

// Lose begins an outage for these ids, with one event for all. Without ids there is none.
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

// Regain ends the outage for these ids.
func (m Machine) Regain(why string, ids []string, now time.Time) (Machine, *provider.Event) {
	lasted := now.Sub(m.since).Round(time.Second)
	m.since, m.doubted = time.Time{}, time.Time{}
	return m, &provider.Event{
		ID: provider.HostID, Time: provider.Time{Time: now}, From: provider.StateUnknown, To: provider.StateRunning,
		Reason: provider.OK, Detail: fmt.Sprintf("%s, after %s", why, lasted), IDs: ids,
	}
}

// Resume continues an outage during which the daemon was restarted.
func (m Machine) Resume(since time.Time, routed bool, now time.Time) Machine {
	m.since, m.doubted, m.routed = since, now, routed
	return m
}

// LookAtRoute has the remote providers probed once this machine has a route again.
func (m Machine) LookAtRoute(online func(host string) bool) (Machine, Verdict) {
	if !m.Out() || m.routed {
		return m, Verdict{}
	}
	m.routed = online("")
	return m, Verdict{Ask: m.routed}
}

// LookAtClock starts over after the machine slept or this process was held up: probes in
// progress would only see timeouts that are our own. Remote providers are unknown until the
// first of them answers. If the clock was merely set, nothing is lost.
func (m Machine) LookAtClock(now Clocks) (Machine, Verdict) {
	f := Verdict{Lapse: m.clock.look(now)}
	if m.since == m.since.Round(0) && m.Out() { // it has wall-clock time only, from before a restart
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

// LookAgain is the time until the next check of the clock and the route, at the latest.
func (m Machine) LookAgain() time.Duration {
	if m.Out() && !m.routed {
		return soonLook
	}
	return lookEvery
}
