package fleettest

import (
	"context"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/etcd"
)

// If hundreds of members lose etcd and come back, each write is one to all others.
func TestBus_ResumesAfterEtcdWasAway(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, e edition) {
		c := start(t, e, 1, "a", "b")
		o := c.quick("a")
		o.TTL = 20 * time.Second
		b := c.bus(o)
		s, first := c.open(b, "a")
		claim, _, err := s.Claim(brief(t), "claim/1", []byte("a"))
		must(t, err)

		c.away(s, b)
		s, again := c.open(b, "a")
		if len(again.Changes) != 2 || again.Changes[0].Created != claim || again.Changes[1].Written != first.Changes[0].Written {
			t.Fatalf("before: %+v\nafter: %+v", first.Changes, again.Changes)
		}
		if next := c.load().revision; next != claim {
			t.Errorf("revision %d, the last write was %d", next, claim)
		}

		c.away(s, b)
		c.until("session with another value", func() (err error) {
			s, err = b.Open(brief(t), "members/a", []byte("other"))
			return err
		})
		t.Cleanup(func() { s.Close(brief(t)) })
		if all := c.next(s); len(all.Changes) != 1 || string(all.Changes[0].Value) != "other" {
			t.Fatalf("a claim of the session before is still there: %+v", all.Changes)
		}
		must(t, s.Close(brief(t)))
		if _, all := c.member("b"); len(all.Changes) != 1 {
			t.Errorf("left behind: %+v", all.Changes)
		}
	})
}

// away makes all servers go away, until the session is over and another cannot be opened, and
// brings them back.
func (c *cluster) away(s bus.Session, b *etcd.Bus) {
	c.t.Helper()
	for _, server := range c.servers {
		server.kill()
	}
	if c.ended(s) == nil {
		c.t.Fatal("the session ended without an error")
	}
	for range 2 {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if _, err := b.Open(ctx, "members/a", []byte("a")); err == nil {
			c.t.Fatal("a session without a server")
		}
		cancel()
	}
	for _, server := range c.servers {
		server.start()
	}
}
