package fleettest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/etcd"
)

// quick are options for tests of what is not about the lease's time.
func (c *cluster) quick(member string) etcd.Options {
	return etcd.Options{
		Endpoints: c.endpoints(), TLS: c.files(member), Prefix: prefix,
		TTL: 3 * time.Second, KeepAlive: 500 * time.Millisecond, Unanswered: 2 * time.Second,
	}
}

// bus makes a bus that is closed at the end.
func (c *cluster) bus(o etcd.Options) *etcd.Bus {
	c.t.Helper()
	b, err := etcd.New(o)
	must(c.t, err)
	c.t.Cleanup(func() { b.Close() })
	return b
}

// member opens a session, and reads its first batch.
func (c *cluster) member(name string) (bus.Session, bus.Batch) {
	c.t.Helper()
	return c.open(c.bus(c.quick(name)), name)
}

func (c *cluster) open(b *etcd.Bus, name string) (bus.Session, bus.Batch) {
	c.t.Helper()
	var s bus.Session
	c.until("session of "+name, func() (err error) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		s, err = b.Open(ctx, "members/"+name, []byte(name))
		return err
	})
	c.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		s.Close(ctx)
	})
	first := c.next(s)
	if !first.All {
		c.t.Fatalf("%s: the first batch has not all keys: %+v", name, first)
	}
	return s, first
}

// next is the next batch.
func (c *cluster) next(s bus.Session) bus.Batch {
	c.t.Helper()
	select {
	case b, ok := <-s.Batches():
		if !ok {
			c.t.Fatalf("session over: %v", s.Err())
		}
		return b
	case <-time.After(20 * time.Second):
		c.t.Fatalf("no batch; session: %v", s.Err())
	}
	return bus.Batch{}
}

// sees waits for a change of a key.
func (c *cluster) sees(s bus.Session, key string) bus.Change {
	c.t.Helper()
	for {
		for _, change := range c.next(s).Changes {
			if change.Key == key {
				return change
			}
		}
	}
}

// ended waits for the end of a session, and is its error.
func (c *cluster) ended(s bus.Session) error {
	c.t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		select {
		case _, ok := <-s.Batches():
			if !ok {
				return s.Err()
			}
		case <-timeout:
			c.t.Fatal("the session does not end")
		}
	}
}

func brief(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestBus_OneWinnerOfAClaim(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, e edition) {
		const members = 50
		var names []string
		for i := range members {
			names = append(names, fmt.Sprint("m", i))
		}
		c := start(t, e, 1, names...)
		var sessions []bus.Session
		for _, name := range names {
			s, _ := c.member(name)
			sessions = append(sessions, s)
		}
		for round := range 5 {
			key := fmt.Sprint("claim/", round)
			var won atomic.Int64
			var epochs sync.Map
			var all sync.WaitGroup
			for i, s := range sessions {
				all.Go(func() {
					epoch, mine, err := s.Claim(brief(t), key, []byte(names[i]))
					if err != nil {
						t.Errorf("%s: %v", names[i], err)
					}
					epochs.Store(epoch, true)
					if mine {
						won.Add(1)
					}
				})
			}
			all.Wait()
			if won.Load() != 1 {
				t.Fatalf("round %d: %d winners", round, won.Load())
			}
			seen := 0
			epochs.Range(func(epoch, _ any) bool {
				seen++
				return true
			})
			if seen != 1 {
				t.Fatalf("round %d: %d revisions of one claim", round, seen)
			}
		}
	})
}

func TestBus_TellsWhatChanges(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, e edition) {
		c := start(t, e, 1, "a", "b")
		a, _ := c.member("a")
		written, err := a.Put(brief(t), "row/1", []byte("one"), false)
		must(t, err)
		b, first := c.member("b")
		if len(first.Changes) != 3 || first.Changes[2].Key != "row/1" || string(first.Changes[2].Value) != "one" || first.Changes[2].Written != written {
			t.Fatalf("b's first batch: %+v", first)
		}
		if lease := first.Changes[0].Lease; first.Changes[0].Key != "members/a" || lease == 0 {
			t.Fatalf("b's first batch: %+v", first)
		}
		must(t, a.Delete(brief(t), "row/1"))
		if change := c.sees(b, "row/1"); change.Value != nil || change.Written <= written {
			t.Fatalf("deleted: %+v", change)
		}
		_, err = a.Put(brief(t), "row/1", nil, true)
		must(t, err)
		if change := c.sees(b, "row/1"); change.Value == nil || change.Lease != first.Changes[0].Lease {
			t.Fatalf("written again: %+v", change)
		}
		must(t, a.Close(brief(t)))
		if change := c.sees(b, "row/1"); change.Value != nil {
			t.Fatalf("after its writer left: %+v", change)
		}
		if err := a.Err(); err != nil {
			t.Errorf("a was closed, but: %v", err)
		}
	})
}

func TestBus_RefusesASecondMachineOfAName(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, e edition) {
		c := start(t, e, 1, "a")
		first, _ := c.member("a")
		second := c.bus(c.quick("a"))
		if _, err := second.Open(brief(t), "members/a", nil); !errors.Is(err, bus.ErrTaken) {
			t.Fatalf("the second: %v", err)
		}
		c.admin(func(ctx context.Context, root *clientv3.Client) {
			leases, err := root.Leases(ctx)
			must(t, err)
			if len(leases.Leases) != 1 {
				t.Errorf("%d leases, one is the first machine's", len(leases.Leases))
			}
		})
		must(t, first.Close(brief(t)))
		c.open(second, "a")
	})
}
