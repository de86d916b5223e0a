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
	// graceFor is how long after this machine lost sight of others a failure that
	// may be theirs is not yet held against them.
	graceFor = 10 * time.Second
)

// A host is what is known of this machine itself.
type host struct {
	out     bool      // remote providers cannot be judged
	why     string    // as it is said of each of them
	since   time.Time // when it began
	doubted time.Time // when a failure that may be ours last began; zero: never
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
func (s *Scheduler) contactOf(o *probe.Observation) contact {
	switch o.Saw {
	case provider.NoCredentials, provider.ProbeFailed, provider.Hung, provider.ConnectionReset:
		return unheard
	case provider.ConnectTimeout:
		return timedOut
	case provider.DNSFailure, provider.NetworkUnreachable:
		if o.HostFault || !s.o.Online() {
			return cutOff
		}
		return unheard // "no such host" may come from a cache on this machine
	}
	return reached
}

// stand takes in what a probe of a remote provider tells of this machine, and
// returns how the probe is to be judged. The first failure that may be ours has the
// others asked; whether all of them fail alike tells an outage of theirs from one
// of ours.
func (s *Scheduler) stand(e *entry, o *probe.Observation) judge.Host {
	if !e.isRemote() || o.Saw == provider.NoCredentials {
		return judge.HostFine
	}
	was := e.contact
	e.contact, e.heard = s.contactOf(o), o.Began
	if e.contact == reached {
		if s.host.out {
			s.comeBack(o.Began)
		}
		return judge.HostFine
	}
	if s.host.out {
		if o.Began.Sub(s.host.since) < graceFor || s.verdict(o.Began) != judge.HostFine {
			return judge.HostOut
		}
		s.comeBack(o.Began)
		return judge.HostFine
	}
	if e.contact < timedOut {
		return judge.HostFine
	}
	if was < timedOut {
		s.host.doubted = o.Began
		s.askRemote(o.Began)
	}
	found := s.verdict(o.Began)
	if found == judge.HostOut {
		s.goOut(s.outage(), o.Began)
	}
	return found
}

// verdict weighs what is known of the remote providers that may be asked. That all
// are silent proves nothing while this machine has a route: those of one rack are
// switched off together.
func (s *Scheduler) verdict(now time.Time) judge.Host {
	failing, cut, waiting := map[string]bool{}, false, 0
	for _, e := range s.entries {
		switch {
		case !e.isRemote():
		case e.contact >= timedOut:
			failing[hostOf(&e.cfg)] = true
			cut = cut || e.contact == cutOff
		case s.declined(e, now, false) != "":
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
	case cut && len(failing) > 1 || !s.o.Online():
		return judge.HostOut
	}
	return judge.HostFine
}

// outage is what is said when the verdict is that this machine is cut off.
func (s *Scheduler) outage() string {
	if !s.o.Online() {
		return "this machine has no network"
	}
	return "no remote provider can be reached from this machine"
}

// goOut makes every remote provider's row UNKNOWN, with one event for all.
func (s *Scheduler) goOut(why string, now time.Time) {
	var ids []string
	for _, id := range s.order {
		e := s.entries[id]
		if e == nil || !e.isRemote() || e.rec.Status.Paused {
			continue
		}
		ids = append(ids, id)
		e.rec = judge.Blackout(e.rec, why, &e.cfg, now)
		s.put(e, nil)
	}
	if len(ids) == 0 {
		return
	}
	s.host.out, s.host.why, s.host.since, s.host.routed = true, why, now, s.o.Online()
	s.tell(hclog.Warn, provider.Event{
		From: provider.StateRunning, To: provider.StateUnknown, Reason: provider.Offline, Detail: why, IDs: ids,
	}, now)
}

// comeBack ends it: everybody who was not judged meanwhile is asked at once.
func (s *Scheduler) comeBack(now time.Time) {
	lasted := now.Sub(s.host.since).Round(time.Second)
	s.host.out, s.host.doubted = false, time.Time{}
	var ids []string
	for _, id := range s.order {
		if e := s.entries[id]; e != nil && e.rec.Status.Reason == provider.Offline {
			ids = append(ids, id)
		}
	}
	s.tell(hclog.Info, provider.Event{
		From: provider.StateUnknown, To: provider.StateRunning, Reason: provider.OK,
		Detail: fmt.Sprintf("remote providers answer again, after %s", lasted), IDs: ids,
	}, now)
	s.askRemote(now)
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
	if s.host.routed = s.o.Online(); s.host.routed {
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

// isRemote reports whether the provider was asked over the network.
func (e *entry) isRemote() bool {
	return !e.began.IsZero() && e.rec.Saw != provider.NoCredentials && !e.cfg.OnThisMachine()
}
