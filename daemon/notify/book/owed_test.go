package book

import (
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// If the event that this machine is online again is among those that are gone, the sink does
// not stay silent.
func TestBook_OnlineAgainIsGone(t *testing.T) {
	p := newPlay(t, defaults(), "a")
	p.offline(at(1, 0))
	p.until(at(2, 0))
	p.b.Resync([]Row{{ID: "a", State: provider.StateStopped, Reason: provider.ConnectionRefused}}, 7, p.s, p.now)
	p.until(at(3, 0))
	p.want("12:02:05 digest +a - ~host")
}

// If a message is refused whose end waits behind it, nobody is told that end. The message tells
// it if it is revived.
func TestBook_RefusedBeforeItsEnd(t *testing.T) {
	ids := []string{"a", "b", "c", "d", "e", "f"}
	p := newPlay(t, defaults(), ids...)
	p.deaf = true
	for _, id := range ids {
		p.down(at(1, 0), id)
	}
	p.until(at(2, 0))
	p.up(at(10, 0), "a")
	p.up(at(10, 0), "b")
	p.until(at(11, 0))
	p.up(at(20, 0), "c")
	p.until(at(21, 0))
	dead := p.b.Outbox[0]
	p.b.Reject(dead.ID, "400")
	p.deaf = false
	p.until(at(22, 0))
	p.want()
	p.b.Retry(dead.ID, p.now)
	p.until(at(23, 0))
	p.want("12:22:00 digest +d,e,f - ~a,b,c")
}

// If worse news of trouble is refused, its end is told to those who heard of the beginning.
func TestBook_WorseIsRefused(t *testing.T) {
	p := newPlay(t, defaults(), "a")
	p.down(at(1, 0), "a")
	p.until(at(2, 0))
	p.deaf = true
	p.event(at(3, 0), "a", provider.StateError, provider.Unauthorized)
	p.until(at(4, 0))
	p.b.Reject(p.b.Outbox[0].ID, "401")
	p.deaf = false
	p.up(at(5, 0), "a")
	p.until(at(6, 0))
	p.want("12:01:05 opened a connection_refused", "12:05:05 closed a ok")
	if m := p.b.Outbox[0]; m.Type != provider.NoticeMerged || m.Until.IsZero() {
		t.Errorf("revived, it would say %+v", m)
	}
}

// A provider that is probed again after a pause is not in trouble because nobody has looked yet.
func TestBook_Resumed(t *testing.T) {
	p := newPlay(t, defaults(), "a")
	p.event(at(1, 0), "a", provider.StateDegraded, provider.RateLimited)
	p.event(at(2, 0), "a", provider.StateDegraded, provider.Paused)
	p.event(at(9, 0), "a", provider.StateDegraded, provider.NotChecked)
	p.until(at(20, 0))
	p.event(at(20, 0), "a", provider.StateRunning, provider.OK)
	p.until(at(30, 0))
	p.want()
}

// What follows a digest that waits is told if the digest arrives, and not if it is refused.
func TestBook_ADigestWaits(t *testing.T) {
	for _, refused := range []bool{false, true} {
		p := newPlay(t, defaults(), "a", "b", "c", "d", "e", "f")
		p.deaf = true
		for id := range p.b.Subjects {
			if id != provider.HostID {
				p.down(at(1, 0), id)
			}
		}
		p.until(at(2, 0))
		p.up(at(2, 0), "a")
		p.until(at(3, 0))
		if len(p.b.Outbox) != 1 {
			t.Errorf("the end of one is told before the digest: %v", p.b.Outbox)
		}
		p.deaf = false
		if refused {
			p.b.Reject(p.b.Outbox[0].ID, "400")
		}
		p.until(at(10, 0))
		if refused {
			p.want()
		} else {
			p.want("12:03:40 digest +a,b,c,d,e,f - ~", "12:03:40 closed a ok")
		}
	}
}
