package schedule

import (
	"fmt"
	"net/url"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/daemon/probe"
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

// A host is what is known of this machine itself.
type host struct {
	out     bool      // remote providers cannot be judged
	since   time.Time // when it began
	doubted time.Time // since when failures may be ours; zero: they are not
	routed  bool      // while out: the machine says that it has a network
	clock   clock
}

// A contact is what the last probe of a remote provider tells of this machine.
type contact uint8

const (
	unheard  contact = iota // nothing
	reached                 // something out there answered
	timedOut                // nobody did, which may be ours
	cutOff                  // nothing left this machine, or no resolver answered
)

// contactOf reads that from an observation. Silence on a connection tells nothing:
// it may have been made before the network went away.
func (s *Scheduler) contactOf(e *entry, o *probe.Observation) contact {
	switch o.Saw {
	case provider.NoCredentials, provider.ProbeFailed, provider.Hung, provider.ConnectionReset:
		return unheard
	case provider.ConnectTimeout:
		return timedOut
	case provider.DNSFailure, provider.NetworkUnreachable:
		if o.HostFault || !s.o.Online(hostOf(&e.cfg)) {
			return cutOff
		}
		return unheard // "no such host" may come from a cache on this machine
	}
	return reached
}

// stand takes in what a probe of a remote provider tells of this machine, and
// returns how the probe is to be judged. A failure that may be ours has the others
// asked, unless one of them answered since; whether all of them fail alike tells an
// outage of theirs from one of ours.
func (s *Scheduler) stand(e *entry, o *probe.Observation) judge.Host {
	if !e.isRemote() {
		return judge.HostFine
	}
	was := e.contact
	e.contact, e.heard = s.contactOf(e, o), o.Began
	if was < timedOut && e.contact >= timedOut {
		e.failed = o.Began
	}
	if e.contact == reached {
		if s.host.out {
			s.comeBack("remote providers answer again", o.Began)
		}
		return judge.HostFine
	}
	if s.host.out {
		if o.Began.Sub(s.host.doubted) < graceFor || s.verdict(o.Began) != judge.HostFine {
			return judge.HostOut
		}
		s.comeBack("this machine has a network, and what fails is the providers'", o.Began)
		return judge.HostFine
	}
	if e.contact < timedOut {
		return judge.HostFine
	}
	if was < timedOut {
		s.host.doubted = o.Began
	}
	found := s.verdict(o.Began)
	switch {
	case found == judge.HostOut:
		s.goOut(s.outage(), o.Began)
	case found == judge.HostInDoubt && was < timedOut:
		s.askRemote(o.Began)
	}
	return found
}

// verdict weighs what is known of the remote providers that may be asked. That all
// are silent proves nothing while this machine has a route: those of one rack are
// switched off together.
func (s *Scheduler) verdict(now time.Time) judge.Host {
	failing, cut, online, waiting := map[string]bool{}, false, false, 0
	for _, e := range s.entries {
		switch {
		case !e.isRemote():
		case s.declined(e, now, false) != "":
		case e.contact >= timedOut && e.failed.Before(s.host.doubted.Add(-doubtFor)):
			// It failed long before, and so tells nothing of now.
		case e.contact >= timedOut:
			host := hostOf(&e.cfg)
			online = online || !failing[host] && s.o.Online(host)
			failing[host] = true
			cut = cut || e.contact == cutOff
		case e.contact == reached && !e.heard.Before(s.host.doubted):
			return judge.HostFine
		default:
			waiting++
		}
	}
	switch {
	case len(failing) == 0:
		return judge.HostFine
	case waiting > 0 && now.Sub(s.host.doubted) < doubtFor:
		return judge.HostInDoubt
	case cut && len(failing) > 1, !online:
		return judge.HostOut
	}
	return judge.HostFine
}

// outage is what is said when the verdict is that this machine is cut off.
func (s *Scheduler) outage() string {
	if !s.o.Online("") {
		return "this machine has no network"
	}
	return "no remote provider can be reached from this machine"
}

// goOut makes every remote provider's row UNKNOWN, with one event for all.
func (s *Scheduler) goOut(why string, now time.Time) {
	var ids []string
	for _, id := range s.order {
		e := s.entries[id]
		if !e.isRemote() || e.rec.Status.Paused || e.rec.Status.RetryAt.After(now) {
			continue // nobody asks it, so no outage of ours makes it less known
		}
		ids = append(ids, id)
		e.rec = judge.ApplyOutage(e.rec, why, &e.cfg, now)
		s.put(e, nil)
	}
	if len(ids) == 0 {
		return
	}
	s.host.out, s.host.since, s.host.routed = true, now, s.o.Online("")
	s.tell(hclog.Warn, provider.Event{
		From: provider.StateRunning, To: provider.StateUnknown, Reason: provider.Offline, Detail: why, IDs: ids,
	}, now)
}

// comeBack ends it: everybody who was not judged meanwhile is asked at once.
func (s *Scheduler) comeBack(why string, now time.Time) {
	lasted := now.Sub(s.host.since).Round(time.Second)
	ids := s.unknown()
	s.host.out, s.host.doubted = false, time.Time{}
	s.tell(hclog.Info, provider.Event{
		From: provider.StateUnknown, To: provider.StateRunning, Reason: provider.OK,
		Detail: fmt.Sprintf("%s, after %s", why, lasted), IDs: ids,
	}, now)
	s.askRemote(now)
}

// unknown are the ids of those whose row says offline.
func (s *Scheduler) unknown() []string {
	var ids []string
	for _, id := range s.order {
		if s.entries[id].rec.Status.Reason == provider.Offline {
			ids = append(ids, id)
		}
	}
	return ids
}

// resumeOutage goes on with an outage that a restart fell into: its end is told once
// more for all, and the events say what was told of each before it.
func (s *Scheduler) resumeOutage(now time.Time) {
	ids := s.unknown()
	if len(ids) == 0 {
		return
	}
	events, err := s.o.Store.Events(0, 0)
	if err != nil {
		s.log.Warn("what was known before the outage cannot be read", "error", err)
	}
	last := map[string]*provider.Event{}
	for i := range events {
		last[events[i].ID] = &events[i]
	}
	for _, id := range ids {
		e := s.entries[id]
		if was := last[id]; was != nil {
			e.rec = judge.Remind(e.rec, was.To, was.Reason)
		}
		s.host.out, s.host.since = true, e.rec.Status.Since.Time
	}
	s.host.doubted, s.host.routed = now, s.o.Online("")
}

// tell publishes an event of the host.
func (s *Scheduler) tell(level hclog.Level, event provider.Event, now time.Time) {
	event.ID, event.Time = provider.HostID, provider.Time{Time: now}
	s.log.Log(level, "this machine changed", "to", event.To, "reason", event.Reason, "detail", event.Detail,
		"providers", len(event.IDs))
	s.o.Store.Note(event)
}

// askRemote asks the remote providers whose last probe began before now.
func (s *Scheduler) askRemote(now time.Time) {
	for _, e := range s.entries {
		if e.isRemote() && e.began.Before(now) && s.declined(e, now, false) == "" {
			s.askInTime(e, now)
		}
	}
}

// watchRoute asks the remote providers when the machine says that its network is
// back. The caller holds mu.
func (s *Scheduler) watchRoute(now time.Time) {
	if !s.host.out || s.host.routed {
		return
	}
	if s.host.routed = s.o.Online(""); s.host.routed {
		s.askRemote(now)
	}
}

// hostOf is where a provider is, without its port: one machine is one witness.
func hostOf(p *config.Provider) string {
	if u, err := url.Parse(p.BaseURL); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return p.BaseURL
}

// isRemote reports whether the provider is asked over the network.
func (e *entry) isRemote() bool { return e.cfg.KeyMissing == "" && !e.cfg.OnThisMachine() }
