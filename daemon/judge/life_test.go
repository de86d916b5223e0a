package judge

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A life is a provider that gets messages of all witnesses, next to a plain model of it.
type life struct {
	t      *testing.T
	p      *config.Provider
	r      Record
	m      *model
	now    time.Time
	log    []string
	events []provider.Event
}

// A message is what one witness says, a few seconds after the one before.
type message struct {
	name string
	say  func(*life)
}

func sees(reason provider.Reason) message { return probes(reason, MachineFine, 0) }

// probes is a probe that saw this, in this state of the machine; wait is how long the
// provider told it to stay away.
func probes(reason provider.Reason, machine MachineState, wait time.Duration) message {
	name := fmt.Sprintf("probe %s", reason)
	if wait > 0 {
		name += fmt.Sprintf(" for %s", wait)
	}
	return observes(name, machine, func(now time.Time) probe.Observation {
		o := saw(reason)
		if wait > 0 {
			o.RetryAt = now.Add(wait)
		}
		return o
	})
}

// observes is a probe whose observation is made at its time.
func observes(name string, machine MachineState, what func(now time.Time) probe.Observation) message {
	name += [...]string{"", ", machine in doubt", ", machine out"}[machine]
	return message{name, func(l *life) {
		if l.r.Status.Paused {
			return // it was cut short
		}
		o := what(l.now)
		o.Began = l.now
		r := l.r
		Refute(&r, &o)
		event := Judge(&r, &o, l.p, machine)
		l.m.refute(&o)
		l.m.probe(&o, machine)
		l.take(r, event)
		l.wantReportEnded(&o, machine)
	}}
}

// refuses is a probe that sees another program only by a 4xx.
func refuses(machine MachineState) message {
	return observes("probe wrong_service, by a 4xx alone", machine, func(time.Time) probe.Observation {
		o := saw(provider.WrongService)
		o.Refusal = true
		return o
	})
}

// slow is a good answer that took long.
var slow = observes("probe ok, slow", MachineFine, func(time.Time) probe.Observation {
	o := saw(provider.OK)
	o.Latency = time.Minute
	return o
})

// lists is a good answer that lists those models.
func lists(ids ...string) message {
	return observes(fmt.Sprintf("probe ok, %d models", len(ids)), MachineFine, func(time.Time) probe.Observation {
		o := saw(provider.OK)
		o.Facts.Models = []provider.Model{}
		for _, id := range ids {
			o.Facts.Models = append(o.Facts.Models, provider.Model{ID: id})
		}
		return o
	})
}

// overtaken is a probe that began before the last report or other message. It settles
// nothing by itself, and can only add to what a caller met.
func overtaken(reason provider.Reason) message {
	return message{"older probe " + string(reason), func(l *life) {
		if l.r.Status.Paused {
			return // it was cut short
		}
		o := saw(reason)
		o.Began = l.now.Add(-time.Second)
		was, r := l.r.Status, l.r
		event := Overtaken(&r, &o, l.p, MachineFine)
		if l.m.met != nil && l.m.doubt != nil && !reason.Healthy() {
			l.m.probe(&o, MachineFine)
			l.take(r, event)
			l.wantReportEnded(&o, MachineFine)
			return
		}
		l.r, l.m.checkedAt = r, o.Began
		if event != nil {
			l.fail("an older probe makes an event: %+v", event)
		}
		if st := l.r.Status; st.State != was.State || st.Reason != was.Reason || st.Doubt != was.Doubt || st.Reported != was.Reported {
			l.fail("an older probe's word counts over a newer one's: %+v", st)
		}
	}}
}

func reports(reason provider.Reason, wait time.Duration) message {
	name := fmt.Sprintf("report %s", reason)
	if wait > 0 {
		name += fmt.Sprintf(" for %s", wait)
	}
	return message{name, func(l *life) {
		o := probe.Observation{Saw: reason, Detail: "reported", Began: l.now}
		if wait > 0 {
			o.RetryAt = l.now.Add(wait)
		}
		r, event := ApplyReport(l.r, o, l.p)
		l.m.report(&o)
		l.take(r, event)
	}}
}

// claims is what a user met who is not an administrator.
func claims(reason provider.Reason) message {
	return message{"user " + string(reason), func(l *life) {
		o := probe.Observation{Saw: reason, Detail: "a user's word", Began: l.now}
		r, event := ApplyHearsay(l.r, o, "uid 1000", l.p)
		l.m.claim(&o)
		l.take(r, event)
	}}
}

// tells is what another member's probe found, a second ago.
func tells(reason provider.Reason) message {
	return message{"fleet " + string(reason), func(l *life) {
		t := &Told{By: "gpu3", Reason: reason, At: l.now.Add(-time.Second), Latency: time.Millisecond}
		r, event, taken := ApplyTold(l.r, t, l.p, l.now)
		if wants := l.m.tell(t); taken != wants {
			l.fail("taken: %v, the model: %v", taken, wants)
		}
		l.take(r, event)
		if st := &r.Status; taken && (!st.CheckedAt.Equal(t.At) || st.Source != provider.FromFleet && l.r.beneath() == nil) {
			l.fail("source %s, checked at %s", st.Source, st.CheckedAt)
		}
	}}
}

// unsaying is the end of what another member told.
var unsaying = message{"fleet is gone", func(l *life) {
	l.r = Unsay(l.r)
	l.m.toldFound, l.m.disputed = "", false
}}

// holding is that another member was told to wait.
func holding(wait time.Duration) message {
	return message{fmt.Sprintf("fleet holds for %s", wait), func(l *life) {
		until := l.now.Add(wait)
		r, event := ApplyHold(l.r, until, "gpu4", l.p, l.now)
		if l.m.holdUntil = until; wait == 0 {
			l.m.holdUntil = time.Time{}
		}
		l.take(r, event)
	}}
}

func vendorSays(impact provider.Impact) message {
	return message{"vendor " + string(impact), func(l *life) {
		var said *provider.Incident
		if impact != provider.ImpactNone {
			said = incident(impact)
		}
		r, event := ApplyVendorStatus(l.r, said, l.p, l.now)
		l.m.vendor = impact.Outage()
		l.take(r, event)
	}}
}

// losing is an outage of this machine. It does not concern a provider that is not probed.
var losing = message{"outage", func(l *life) {
	if l.r.Status.Paused || l.r.Status.RetryAt.After(l.now) {
		return
	}
	r := ApplyOutage(l.r, "slept", l.p, l.now)
	l.m.outage()
	l.take(r, nil)
}}

func pausing(paused bool) message {
	name := "resume"
	if paused {
		name = "pause"
	}
	return message{name, func(l *life) {
		was := l.r.Status
		r, event := ApplyPause(l.r, paused, l.p, l.now)
		if was.Paused == paused { // it says nothing new, so nothing is weighed anew
			if l.r = r; event != nil || !reflect.DeepEqual(r.Status, was) {
				l.fail("a %s that changes nothing changed the row to %+v, %+v", name, r.Status, event)
			}
			return
		}
		l.m.pause(paused, l.now)
		l.take(r, event)
	}}
}

// restarting is the next process, which has only the row.
var restarting = message{"restart", func(l *life) {
	st := l.r.Status
	r := Initial(l.p, &st)
	if st.Reason == provider.Offline {
		last := provider.Event{To: l.m.told.state, Reason: l.m.told.reason, From: l.m.own} // as the events say
		last.Hearsay = last.From != last.To
		r = Remind(r, &last)
	}
	l.m.restart()
	var event *provider.Event
	if st.Hearsay != nil && st.Hearsay.Over != nil {
		r, event = ApplyTime(r, l.p, l.now)
	}
	l.take(r, event)
}}

// rekeying is a reload with another key.
var rekeying = message{"another key", func(l *life) {
	l.r = ForgetKey(l.r)
	l.m.rekey()
}}

// moving is a reload after which it is another server of the same vendor.
var moving = message{"another server", func(l *life) {
	r, event := Moved(l.r, l.p, true, l.now)
	l.m.move()
	l.take(r, event)
}}

func (l *life) play(messages ...message) *life {
	for _, m := range messages {
		l.now = l.now.Add(3 * time.Second)
		l.log = append(l.log, m.name)
		m.say(l)
	}
	return l
}

func (l *life) fail(format string, args ...any) {
	l.t.Helper()
	l.t.Fatalf("after %q: %s", l.log, fmt.Sprintf(format, args...))
}

// take compares the new record with the model, and keeps the event.
func (l *life) take(r Record, event *provider.Event) {
	l.t.Helper()
	l.r = r
	l.m.derive()
	st := r.Status
	shown, doubt := l.m.shown(l.now)
	if st.State != shown.state || st.Reason != shown.reason {
		l.fail("the row says %s %s, the model %s %s", st.State, st.Reason, shown.state, shown.reason)
	}
	if got, want := short(st.Doubt), short(doubt); got != want {
		l.fail("the row's doubt is %s, the model's %s", got, want)
	}
	if !st.RetryAt.Equal(later(later(l.m.retryAt, l.m.heldUntil()), l.m.holdUntil)) || (st.Reported != nil) != (l.m.met != nil) {
		l.fail("retry_at %s, reported %+v; the model %s %+v", st.RetryAt, st.Reported, l.m.retryAt, l.m.met)
	}
	l.wantEvent(event)
}

// wantEvent checks that an event is the difference between the last event and what holds.
func (l *life) wantEvent(event *provider.Event) {
	l.t.Helper()
	is, _ := l.m.shown(l.now)
	if l.m.reason == provider.Offline || is == l.m.told {
		if event != nil {
			l.fail("an event of nothing, or of an outage of ours: %+v", event)
		}
		return
	}
	if event == nil || event.From != l.m.told.state || event.To != is.state || event.Reason != is.reason {
		l.fail("the event is %+v, want %v to %v", event, l.m.told, is)
	}
	if short(event.Doubt) != short(l.r.Status.Doubt) {
		l.fail("the event's doubt is %s", short(event.Doubt))
	}
	l.m.told = is
	l.events = append(l.events, *event)
}

// wantReportEnded checks that no report outlives its time.
func (l *life) wantReportEnded(o *probe.Observation, machine MachineState) {
	l.t.Helper()
	if reported := l.r.Status.Reported; machine != MachineInDoubt && o.Saw != provider.ProbeFailed &&
		reported != nil && !reported.RetryAt.After(o.Began) {
		l.fail("a report outlives its time: %+v", reported)
	}
}

func short(d *provider.Doubt) string {
	if d == nil {
		return "none"
	}
	return fmt.Sprintf("%s %d/%d", d.Saw, d.Count, d.Of)
}
