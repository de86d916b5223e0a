package fleettest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/fleet/bus"
)

// limit is how long a limit has left, by the key's lease.
func (c *cluster) limit(s bus.Session, lease int64) time.Duration {
	c.t.Helper()
	left, err := s.Left(brief(c.t), lease)
	must(c.t, err)
	return left
}

func TestBus_LimitsEndLateNeverEarly(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, e edition) {
		c := start(t, e, 1, "a", "b")
		a, _ := c.member("a")
		b, _ := c.member("b")
		put := func(s bus.Session, ttl time.Duration) {
			t.Helper()
			_, err := s.PutFor(brief(t), "limit/1", []byte("x"), ttl)
			must(t, err)
		}
		put(a, 3*time.Second)
		first := c.sees(b, "limit/1")
		if left := c.limit(b, first.Lease); left < 2*time.Second || left > 4*time.Second {
			t.Errorf("of 3 s, %v is left", left)
		}
		began := time.Now()
		put(b, 5*time.Second)
		longer := c.sees(b, "limit/1")
		if longer.Lease == first.Lease {
			t.Fatal("a longer wait did not replace the shorter")
		}
		put(a, time.Second) // does not shorten
		if left := c.limit(a, longer.Lease); left < 4*time.Second {
			t.Errorf("after a shorter wait, %v is left of 5 s", left)
		}
		must(t, a.Close(brief(t))) // whoever wrote it may leave
		gone := c.sees(b, "limit/1")
		for gone.Value != nil {
			gone = c.sees(b, "limit/1")
		}
		if took := time.Since(began); took < 5*time.Second {
			t.Errorf("the limit of 5 s ended after %v", took)
		}
		if left := c.limit(b, longer.Lease); left != 0 {
			t.Errorf("a lease that is over has %v left", left)
		}
	})
}

func TestBus_KeepsEveryChange(t *testing.T) {
	t.Parallel()
	const members, changes = 10, 1500
	var names []string
	for i := range members {
		names = append(names, fmt.Sprint("m", i))
	}
	c := start(t, newest(), 1, append(names, "reader")...)
	reader, _ := c.member("reader")
	var writers sync.WaitGroup
	for _, name := range names {
		s, _ := c.member(name)
		writers.Go(func() {
			for i := range changes {
				key := fmt.Sprintf("row/%s/%d", name, i%20)
				if _, err := s.Put(t.Context(), key, fmt.Appendf(nil, "%d", time.Now().UnixNano()), false); err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
			}
		})
		go func() {
			for range s.Batches() {
			}
		}()
	}
	defer writers.Wait()
	seen, last := 0, int64(0)
	var delay time.Duration
	for seen < members*changes {
		batch := c.next(reader)
		if batch.All {
			t.Fatal("a reader that keeps up got all keys again")
		}
		for _, change := range batch.Changes {
			if change.Written < last {
				t.Fatalf("revision %d after %d", change.Written, last)
			}
			last = change.Written
			if strings.HasPrefix(change.Key, "row/") {
				var at int64
				fmt.Sscan(string(change.Value), &at)
				delay += time.Since(time.Unix(0, at))
				seen++
			}
		}
	}
	t.Logf("%d of %d changes, mean delay %v", seen, members*changes, (delay / time.Duration(seen)).Round(time.Microsecond))
}

func TestBus_GivesAReaderThatLagsAllKeys(t *testing.T) {
	t.Parallel()
	c := start(t, newest(), 1, "a", "b")
	o := c.quick("a")
	o.Lag = 200 * time.Millisecond
	a, _ := c.open(c.bus(o), "a")
	b, _ := c.member("b")
	go func() {
		for range b.Batches() {
		}
	}()
	large := []byte(strings.Repeat("x", 60<<10))
	for i := range 300 { // 18 MiB, more than any buffer between
		_, err := b.Put(brief(t), fmt.Sprint("row/", i%10), large, false)
		must(t, err)
	}
	_, err := b.Put(brief(t), "row/last", nil, false)
	must(t, err)
	again := false
	for {
		batch := c.next(a)
		again = again || batch.All
		for _, change := range batch.Changes {
			if change.Key == "row/last" {
				if !again {
					t.Error("the reader was never given all keys again")
				}
				return
			}
		}
	}
}
