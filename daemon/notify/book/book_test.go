package book

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// noon is when the tests begin.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(minutes, seconds int) time.Time {
	return noon.Add(time.Duration(minutes)*time.Minute + time.Duration(seconds)*time.Second)
}

func defaults() *Settings {
	return &Settings{
		Sink: "phone", Host: "box", Gather: 5 * time.Second, Most: 20,
		On: []provider.Topic{provider.TopicUnusable, provider.TopicUsable, provider.TopicAttention, provider.TopicHost},
	}
}

// A play is a book whose providers were usable at noon, with a receiver.
type play struct {
	t    *testing.T
	s    *Settings
	b    *Book
	now  time.Time
	got  []string // "TYPE PROVIDER REASON" or "digest +OPENED -CLOSED ~MERGED", in the order of arrival
	all  []provider.Notice
	deaf bool // the receiver does not answer
}

func newPlay(t *testing.T, s *Settings, ids ...string) *play {
	var rows []Row
	for _, id := range ids {
		rows = append(rows, Row{ID: id, State: provider.StateRunning, Reason: provider.OK})
	}
	return &play{t: t, s: s, b: Begin(100, rows, s), now: noon}
}

// event adds an event after the time has come that far.
func (p *play) event(when time.Time, id string, state provider.State, reason provider.Reason) {
	p.until(when)
	p.b.Observe(&provider.Event{Seq: p.b.Cursor + 1, ID: id, To: state, Reason: reason, Time: provider.Time{Time: when}}, "", p.s)
}

func (p *play) down(when time.Time, id string) {
	p.event(when, id, provider.StateStopped, provider.ConnectionRefused)
}
func (p *play) up(when time.Time, id string) {
	p.event(when, id, provider.StateRunning, provider.OK)
}
func (p *play) offline(when time.Time) {
	p.event(when, provider.HostID, provider.StateUnknown, provider.Offline)
}
func (p *play) online(when time.Time) {
	p.event(when, provider.HostID, provider.StateRunning, provider.OK)
}

// until lets time pass, and delivers what is due.
func (p *play) until(when time.Time) {
	for {
		next, _ := p.b.Write(p.s, p.now)
		ready, retry := p.b.Ready(func(*Message) bool { return false }, p.now)
		for _, m := range ready {
			if p.deaf {
				p.b.Failed(m.ID, "no answer", time.Time{}, p.now, 0.5)
				continue
			}
			p.all = append(p.all, m.Notice)
			p.got = append(p.got, p.now.Format("15:04:05 ")+say(&m.Notice))
			p.b.Accepted(m.ID, p.now)
		}
		if len(ready) > 0 {
			continue
		}
		if next.IsZero() || !retry.IsZero() && retry.Before(next) {
			next = retry
		}
		if next.IsZero() || next.After(when) {
			p.now = when
			return
		}
		if !next.After(p.now) {
			p.t.Fatalf("at %s: due at %s, and not written", p.now, next)
		}
		p.now = next
	}
}

func say(n *provider.Notice) string {
	if n.Type == provider.NoticeDigest {
		return fmt.Sprintf("digest +%s -%s ~%s", strings.Join(n.Opened, ","), strings.Join(n.Closed, ","), strings.Join(n.Merged, ","))
	}
	return fmt.Sprintf("%s %s %s", n.Type, n.Provider, n.Reason)
}

func (p *play) want(lines ...string) {
	p.t.Helper()
	if !slices.Equal(p.got, lines) {
		p.t.Errorf("got:\n  %s\nwant:\n  %s", strings.Join(p.got, "\n  "), strings.Join(lines, "\n  "))
	}
}

func TestBook(t *testing.T) {
	tests := []struct {
		name string
		set  func(*Settings)
		play func(*play)
		want []string
	}{
		{"down and up", nil, func(p *play) {
			p.down(at(1, 0), "a")
			p.up(at(3, 0), "a")
		}, []string{"12:01:05 opened a connection_refused", "12:03:05 closed a ok"}},
		{"over while it was gathered", nil, func(p *play) {
			p.down(at(1, 0), "a")
			p.up(at(1, 3), "a")
		}, []string{"12:01:08 merged a connection_refused"}},
		{"too short to be told", func(s *Settings) { s.After = time.Minute }, func(p *play) {
			p.down(at(1, 0), "a")
			p.up(at(1, 59), "a")
			p.down(at(3, 0), "a")
			p.up(at(5, 0), "a")
		}, []string{"12:04:05 opened a connection_refused", "12:05:05 closed a ok"}},
		{"the receiver was away until it was over", nil, func(p *play) {
			p.deaf = true
			p.down(at(1, 0), "a")
			p.up(at(3, 0), "a")
			p.until(at(4, 0))
			p.deaf = false
		}, []string{"12:04:20 merged a connection_refused"}},
		{"another provider does not wait", nil, func(p *play) {
			p.deaf = true
			p.down(at(1, 0), "a")
			p.until(at(8, 0))
			p.deaf = false
			p.down(at(8, 0), "b")
		}, []string{"12:08:05 opened b connection_refused", "12:11:40 opened a connection_refused"}},
		{"it becomes worse", nil, func(p *play) {
			p.down(at(1, 0), "a")
			p.event(at(2, 0), "a", provider.StateError, provider.Unauthorized)
			p.down(at(3, 0), "a")
			p.up(at(4, 0), "a")
		}, []string{"12:01:05 opened a connection_refused", "12:02:05 opened a unauthorized", "12:04:05 closed a ok"}},
		{"limits are not asked for", nil, func(p *play) {
			p.event(at(1, 0), "a", provider.StateDegraded, provider.RateLimited)
			p.up(at(2, 0), "a")
			p.event(at(3, 0), "a", provider.StateDegraded, provider.RateLimited)
			p.down(at(4, 0), "a")
			p.up(at(5, 0), "a")
		}, []string{"12:04:05 opened a connection_refused", "12:05:05 closed a ok"}},
		{"an incident that nobody asked for is no trouble", nil, func(p *play) {
			p.down(at(1, 0), "a")
			p.event(at(2, 0), "a", provider.StateDegraded, provider.VendorIncident)
			p.up(at(3, 0), "a")
		}, []string{"12:01:05 opened a connection_refused", "12:02:05 closed a vendor_incident"}},
		{"an incident after an outage", func(s *Settings) { s.On = provider.Topics[:] }, func(p *play) {
			p.down(at(1, 0), "a")
			p.event(at(2, 0), "a", provider.StateDegraded, provider.VendorIncident)
			p.up(at(3, 0), "a")
		}, []string{"12:01:05 opened a connection_refused", "12:02:05 closed a vendor_incident", "12:02:05 opened a vendor_incident", "12:03:05 closed a ok"}},
		{"nobody wants to hear that it is usable", func(s *Settings) { s.On = []provider.Topic{provider.TopicUnusable} }, func(p *play) {
			p.down(at(1, 0), "a")
			p.up(at(3, 0), "a")
			p.down(at(10, 0), "a")
		}, []string{"12:01:05 opened a connection_refused", "12:10:05 opened a connection_refused"}},
		{"a start is no trouble, unless it takes long", nil, func(p *play) {
			p.event(at(1, 0), "a", provider.StateStarting, provider.Loading)
			p.up(at(2, 0), "a")
			p.event(at(20, 0), "a", provider.StateStarting, provider.Loading)
		}, []string{"12:30:05 opened a loading"}},
		{"a pause is no news", nil, func(p *play) {
			p.down(at(1, 0), "a")
			p.event(at(2, 0), "a", provider.StateStopped, provider.Paused)
			p.event(at(3, 0), "b", provider.StateRunning, provider.Paused)
			p.event(at(4, 0), "a", provider.StateUnknown, provider.NotChecked)
			p.up(at(5, 0), "a")
		}, []string{"12:01:05 opened a connection_refused", "12:05:05 closed a ok"}},
		{"many at once", nil, func(p *play) {
			for _, id := range []string{"a", "b", "c", "d", "e", "f", "g"} {
				p.down(at(1, 0), id)
			}
			for _, id := range []string{"a", "b"} {
				p.up(at(9, 0), id)
			}
		}, []string{"12:01:05 digest +a,b,c,d,e,f,g - ~", "12:09:05 closed a ok", "12:09:05 closed b ok"}},
		{"a storm is two digests", nil, func(p *play) {
			for i := range 1000 {
				p.down(at(1, 0).Add(time.Duration(i)*60*time.Millisecond), fmt.Sprint("p", i))
			}
		}, []string{"two"}},
		{"more than an hour may have", func(s *Settings) { s.Most = 3 }, func(p *play) {
			for i, id := range []string{"a", "b", "c", "d", "e"} {
				p.down(at(10*i, 0), id)
			}
		}, []string{
			"12:00:05 opened a connection_refused", "12:10:05 opened b connection_refused", "12:20:05 opened c connection_refused",
			"13:00:05 digest +d,e - ~",
		}},
		{"it flaps", nil, func(p *play) {
			for i := range 8 {
				p.down(at(1, 30*i), "a")
				p.up(at(1, 30*i+15), "a")
			}
		}, []string{
			"12:01:05 opened a connection_refused", "12:01:20 closed a ok", "12:01:35 opened a connection_refused", "12:01:50 closed a ok",
			"12:02:05 opened a connection_refused", "12:09:45 closed a ok",
		}},
		{"this machine was offline", nil, func(p *play) {
			p.offline(at(1, 0))
			p.down(at(2, 0), "local")
			p.online(at(8, 0))
			p.down(at(8, 1), "a")
		}, []string{"12:08:05 digest +local,a - ~host"}},
		{"a short while offline, and nothing is left", nil, func(p *play) {
			p.offline(at(1, 0))
			p.online(at(8, 0))
		}, []string{"12:08:05 merged host offline"}},
		{"quiet hours", func(s *Settings) { s.Quiet = between(at(10, 0), at(60, 0)) }, func(p *play) {
			p.down(at(1, 0), "a")
			p.up(at(20, 0), "a")
			p.down(at(30, 0), "b")
			p.up(at(31, 0), "b")
			p.down(at(40, 0), "c")
		}, []string{"12:01:05 opened a connection_refused", "13:00:00 closed a ok", "13:00:00 opened c connection_refused"}},
		{"maintenance", func(s *Settings) {
			during := between(at(10, 0), at(60, 0))
			s.Maintained = func(id string, now time.Time) time.Time {
				if id == "a" {
					return during(now)
				}
				return time.Time{}
			}
		}, func(p *play) {
			p.down(at(5, 0), "a")
			p.up(at(20, 0), "a") // what was told is closed at once
			p.down(at(30, 0), "a")
			p.up(at(31, 0), "a")
			p.down(at(40, 0), "a")
			p.down(at(40, 0), "b")
		}, []string{
			"12:05:05 opened a connection_refused", "12:20:05 closed a ok", "12:40:05 opened b connection_refused",
			"13:00:00 opened a connection_refused",
		}},
		{"the clock is set back", func(s *Settings) { s.After = 2 * time.Minute }, func(p *play) {
			p.down(at(600, 0), "a")
			p.down(at(600, 0), "b")
			p.until(at(602, 6))
			p.down(at(605, 0), "c")
			p.up(at(605, 0), "a")
			p.now = at(1, 0)
			p.until(at(4, 0))
			p.up(at(5, 0), "b")
		}, []string{
			"22:02:05 opened a connection_refused", "22:02:05 opened b connection_refused",
			"12:01:05 closed a ok", "12:03:05 opened c connection_refused", "12:05:05 closed b ok",
		}},
		{"the clock is set back while it flaps", nil, func(p *play) {
			for i := range 3 {
				p.down(at(601, 30*i), "a")
				p.up(at(601, 30*i+15), "a")
			}
			p.now = at(1, 0)
		}, []string{
			"22:01:05 opened a connection_refused", "22:01:20 closed a ok", "22:01:35 opened a connection_refused", "22:01:50 closed a ok",
			"22:02:05 opened a connection_refused", "12:01:05 closed a ok",
		}},
		{"the clock is set forward", func(s *Settings) { s.After = time.Hour }, func(p *play) {
			p.down(at(1, 0), "a")
			p.now = at(600, 0)
			p.until(at(600, 0))
			p.up(at(601, 0), "a")
		}, []string{"22:00:00 opened a connection_refused", "22:01:05 closed a ok"}},
		{"quiet hours over midnight", func(s *Settings) { s.Quiet = nightly }, func(p *play) {
			p.down(at(9*60+59, 58), "a") // two seconds before ten, and gathered until after it
			p.up(at(10*60, 30), "a")
			p.down(at(11*60, 0), "b")
			p.up(at(13*60, 0), "b")
			p.down(at(18*60, 0), "c")
			p.up(at(18*60+59, 59), "c")
			p.down(at(18*60+59, 58), "d")
			p.up(at(19*60, 1), "d")
		}, []string{"07:00:00 merged a connection_refused", "07:00:00 opened d connection_refused", "07:00:06 closed d ok"}},
		{"too many messages, and then quiet hours", func(s *Settings) { s.Most, s.Quiet = 2, nightly }, func(p *play) {
			for i, id := range []string{"a", "b", "c", "d"} {
				p.down(at(9*60+20+10*i, 0), id)
			}
			p.up(at(9*60+55, 0), "d")
			p.up(at(12*60, 0), "a")
		}, []string{
			"21:20:05 opened a connection_refused", "21:30:05 opened b connection_refused",
			"07:00:00 digest +c -a ~d",
		}},
		{"users' reports are no news", nil, func(p *play) {
			p.b.Observe(&provider.Event{Seq: p.b.Cursor + 1, ID: "a", To: provider.StateStopped, Reason: provider.ConnectionRefused, Hearsay: true}, "", p.s)
		}, nil},
		{"never usable", nil, func(p *play) {
			p.down(at(1, 0), "new")
			p.event(at(2, 0), "new", provider.StateError, provider.Unauthorized)
			p.up(at(3, 0), "new")
			p.down(at(4, 0), "new")
		}, []string{"12:04:05 opened new connection_refused"}},
		{"removed from the configuration", nil, func(p *play) {
			p.down(at(1, 0), "a")
			p.down(at(1, 0), "b")
			p.until(at(2, 0))
			p.b.Watch([]Row{{ID: "b"}}, p.s, p.now)
		}, []string{"12:01:05 opened a connection_refused", "12:01:05 opened b connection_refused", "12:02:05 closed a not_checked"}},
		{"events are gone", nil, func(p *play) {
			p.down(at(1, 0), "a")
			p.until(at(2, 0))
			p.b.Resync([]Row{
				{ID: "a", State: provider.StateRunning, Reason: provider.OK},
				{ID: "b", State: provider.StateError, Reason: provider.TLSFailure},
			}, 7, p.s, p.now)
		}, []string{"12:01:05 opened a connection_refused", "12:02:05 closed a ok", "12:02:05 opened b tls_failure"}},
		{"restored from a backup", nil, func(p *play) {
			p.down(at(1, 0), "a")
			p.down(at(1, 0), "b")
			p.until(at(2, 0))
			p.b.Restored(500, p.s, p.now)
			p.until(at(3, 0))
			p.b.Resync([]Row{
				{ID: "a", State: provider.StateRunning, Reason: provider.OK},
				{ID: "b", State: provider.StateStopped, Reason: provider.ConnectionRefused},
			}, 0, p.s, p.now)
		}, []string{
			"12:01:05 opened a connection_refused", "12:01:05 opened b connection_refused",
			"12:02:05 closed a not_checked", "12:02:05 closed b not_checked", "12:03:05 opened b connection_refused",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := defaults()
			if tt.set != nil {
				tt.set(s)
			}
			ids := []string{"a", "b", "c", "d", "e", "f", "g", "local"}
			for i := range 1000 {
				ids = append(ids, fmt.Sprint("p", i))
			}
			p := newPlay(t, s, ids...)
			tt.play(p)
			p.until(p.now.Add(12 * time.Hour))
			if len(tt.want) == 1 && tt.want[0] == "two" {
				if len(p.all) != 2 || len(p.all[0].Opened)+len(p.all[1].Opened) != 1000 || p.all[0].More != len(p.all[0].Opened)-10 {
					t.Errorf("got %d messages", len(p.all))
				}
				return
			}
			p.want(tt.want...)
			if len(p.b.Outbox) > 0 {
				t.Errorf("left in the outbox: %v", p.b.Outbox)
			}
		})
	}
}

// nightly is quiet from ten in the evening to seven in the morning.
func nightly(now time.Time) time.Time {
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	switch {
	case now.Hour() >= 22:
		return day.AddDate(0, 0, 1).Add(7 * time.Hour)
	case now.Hour() < 7:
		return day.Add(7 * time.Hour)
	}
	return time.Time{}
}

func between(from, until time.Time) func(time.Time) time.Time {
	return func(now time.Time) time.Time {
		if now.Before(from) || !now.Before(until) {
			return time.Time{}
		}
		return until
	}
}

// A message that is not accepted within a day is dead, and nobody hears of the end of what it
// says; if it is revived after that end, it says both.
func TestBook_Dead(t *testing.T) {
	for _, ids := range [][]string{{"a"}, {"a", "b", "c", "d", "e", "f"}} {
		t.Run(fmt.Sprint(len(ids)), func(t *testing.T) {
			p := newPlay(t, defaults(), ids...)
			p.deaf = true
			for _, id := range ids {
				p.down(at(1, 0), id)
			}
			p.until(at(25*60, 0))
			m := p.b.Outbox[0]
			if m.Dead == "" || m.Tries < 90 || m.Tries > 110 {
				t.Fatalf("after %d tries: dead %q", m.Tries, m.Dead)
			}
			p.deaf = false
			p.up(at(25*60, 0), "a")
			p.until(at(26*60, 0))
			p.want()
			if !p.b.Retry(p.b.Outbox[0].ID, p.now) {
				t.Fatal("not revived")
			}
			for _, id := range ids[1:] {
				p.up(at(27*60, 0), id)
			}
			p.until(at(28*60, 0))
			if len(ids) == 1 {
				p.want("14:00:00 merged a connection_refused")
				return
			}
			p.want("14:00:00 digest +b,c,d,e,f - ~a", "15:00:05 closed b ok", "15:00:05 closed c ok",
				"15:00:05 closed d ok", "15:00:05 closed e ok", "15:00:05 closed f ok")
		})
	}
}

// The book survives JSON.
func TestBook_Saved(t *testing.T) {
	p := newPlay(t, defaults(), "a", "b")
	p.deaf = true
	p.down(at(1, 0), "a")
	p.until(at(2, 0))
	p.down(at(2, 0), "b")
	text, err := json.Marshal(p.b)
	if err != nil {
		t.Fatal(err)
	}
	p.b = new(Book)
	if err := json.Unmarshal(text, p.b); err != nil {
		t.Fatal(err)
	}
	p.deaf = false
	p.up(at(3, 0), "a")
	p.until(at(4, 0))
	p.want("12:02:00 opened a connection_refused", "12:02:05 opened b connection_refused", "12:03:05 closed a ok")
}
