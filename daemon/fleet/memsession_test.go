package fleet_test

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/providerd/providerd/daemon/fleet/bus"
)

// A memSession is a [bus.Session] of a memStore.
type memSession struct {
	bus     *memBus
	lease   int64
	batches chan bus.Batch
	nudged  chan struct{} // what can be reached changed, or there is something to hand out
	done    chan struct{}
	running sync.WaitGroup

	// What follows is guarded by the store's mu.
	pending  []bus.Change
	newest   int64
	resend   bool // all keys are to be handed out
	answered time.Time
	err      error
	ended    bool
}

// errClosed ends a session that is closed.
var errClosed = errors.New("closed")

func (s *memSession) nudge() {
	select {
	case s.nudged <- struct{}{}:
	default:
	}
}

// queue hands out changes later. The caller holds the store's mu.
func (s *memSession) queue(rev int64, changes []bus.Change) {
	s.pending, s.newest = append(s.pending, changes...), rev
	s.nudge()
}

// over ends the session. The caller holds the store's mu.
func (s *memSession) over(err error) {
	if s.ended {
		return
	}
	s.ended, s.err = true, err
	if !errors.Is(err, errClosed) {
		s.bus.left = s.lease
	}
	delete(s.bus.store.open, s)
	close(s.done)
}

// keep renews the lease until it cannot.
func (s *memSession) keep() {
	for since := time.Now(); ; {
		select {
		case <-s.done:
			return
		case <-time.After(time.Until(since.Add(keepAlive))):
		}
		for sent := time.Now(); ; {
			s.bus.store.mu.Lock()
			frozen, cut := s.bus.frozen, s.bus.unreachable()
			s.bus.store.mu.Unlock()
			if frozen {
				sent = time.Now()
			}
			if !frozen && !cut {
				break
			}
			if time.Since(sent) >= unanswered {
				s.end(errUnreachable)
				return
			}
			select {
			case <-s.done:
				return
			case <-time.After(250 * time.Millisecond):
			}
		}
		since = time.Now()
		if !s.bus.store.renew(s.lease) {
			s.end(errLeaseGone)
			return
		}
		s.bus.store.mu.Lock()
		s.answered = since
		s.bus.store.mu.Unlock()
	}
}

func (s *memSession) end(err error) {
	s.bus.store.mu.Lock()
	defer s.bus.store.mu.Unlock()
	s.over(err)
}

// follow hands out all keys, and then what changes.
func (s *memSession) follow() {
	defer close(s.batches)
	for {
		b, some := s.next()
		if !some {
			select {
			case <-s.nudged:
				continue
			case <-s.done:
				return
			}
		}
		select {
		case s.batches <- b:
		case <-s.done:
			return
		case <-time.After(lagLimit):
			s.bus.store.mu.Lock()
			s.resend = true
			s.bus.store.mu.Unlock()
			for len(s.batches) > 0 {
				<-s.batches
			}
		}
	}
}

// next is the next batch, if there is one that reaches the member.
func (s *memSession) next() (b bus.Batch, some bool) {
	s.bus.store.mu.Lock()
	defer s.bus.store.mu.Unlock()
	switch {
	case s.bus.unreachable() || s.bus.frozen || s.ended:
		return b, false
	case s.resend:
		b, s.resend, s.pending = s.bus.store.all(), false, nil
	case len(s.pending) == 0:
		return b, false
	default:
		b = bus.Batch{Revision: s.newest, Changes: s.pending}
		s.pending = nil
	}
	return b, true
}

// write makes a call that needs the lease.
func (s *memSession) write(ctx context.Context, do func()) error {
	return s.bus.call(ctx, func() error {
		if s.ended {
			return errLeaseGone
		}
		do()
		return nil
	})
}

// leased makes a call that writes with the lease, and ends the session if that is gone.
func (s *memSession) leased(ctx context.Context, do func()) error {
	return s.bus.call(ctx, func() error {
		if s.ended || s.bus.store.leases[s.lease] == nil {
			s.over(errLeaseGone)
			return errLeaseGone
		}
		do()
		return nil
	})
}

// Batches implements [bus.Session].
func (s *memSession) Batches() <-chan bus.Batch { return s.batches }

// Reread implements [bus.Session].
func (s *memSession) Reread() {
	s.bus.store.mu.Lock()
	defer s.bus.store.mu.Unlock()
	s.resend = true
	s.nudge()
}

// Err implements [bus.Session].
func (s *memSession) Err() error {
	s.bus.store.mu.Lock()
	defer s.bus.store.mu.Unlock()
	if errors.Is(s.err, errClosed) {
		return nil
	}
	return s.err
}

// Answered implements [bus.Session].
func (s *memSession) Answered() time.Time {
	s.bus.store.mu.Lock()
	defer s.bus.store.mu.Unlock()
	return s.answered
}

// Claim implements [bus.Session].
func (s *memSession) Claim(ctx context.Context, key string, value []byte) (rev int64, won bool, err error) {
	err = s.leased(ctx, func() {
		if c, is := s.bus.store.keys[key]; is {
			rev = c.Created
			return
		}
		rev, won = s.bus.store.put(s.bus.name, key, value, s.lease, 0), true
	})
	return rev, won, err
}

// Put implements [bus.Session].
func (s *memSession) Put(ctx context.Context, key string, value []byte, leased bool) (rev int64, err error) {
	if leased {
		err = s.leased(ctx, func() { rev = s.bus.store.put(s.bus.name, key, value, s.lease, 0) })
	} else {
		err = s.write(ctx, func() { rev = s.bus.store.put(s.bus.name, key, value, 0, 0) })
	}
	return rev, err
}

// PutFenced implements [bus.Session].
func (s *memSession) PutFenced(ctx context.Context, claim string, epoch int64, key string, value []byte) (rev int64, held bool, err error) {
	var gone error
	err = s.write(ctx, func() {
		c, is := s.bus.store.keys[claim]
		if rev, held = s.bus.store.rev, is && c.Created == epoch; !held {
			return
		}
		if s.bus.store.leases[s.lease] == nil {
			s.over(errLeaseGone)
			gone = errLeaseGone
			return
		}
		rev = s.bus.store.put(s.bus.name, key, value, s.lease, epoch)
	})
	return rev, held, cmp.Or(err, gone)
}

// PutFor implements [bus.Session].
func (s *memSession) PutFor(ctx context.Context, key string, value []byte, ttl time.Duration) (rev int64, err error) {
	ttl = max(time.Second, (ttl+time.Second-1)/time.Second*time.Second)
	err = s.write(ctx, func() {
		if c, is := s.bus.store.keys[key]; is {
			if l := s.bus.store.leases[c.Lease]; l == nil || time.Until(l.ends) >= ttl {
				rev = c.Written
				return
			}
		}
		rev = s.bus.store.put(s.bus.name, key, value, s.bus.store.grant(ttl), 0)
	})
	return rev, err
}

// Delete implements [bus.Session].
func (s *memSession) Delete(ctx context.Context, keys ...string) error {
	return s.write(ctx, func() { s.bus.store.remove(keys) })
}

// DeleteFenced implements [bus.Session].
func (s *memSession) DeleteFenced(ctx context.Context, claim string, epoch int64, keys ...string) (held bool, err error) {
	err = s.write(ctx, func() {
		c, is := s.bus.store.keys[claim]
		if held = is && c.Created == epoch; held {
			s.bus.store.remove(keys)
		}
	})
	return held, err
}

// Left implements [bus.Session].
func (s *memSession) Left(ctx context.Context, lease int64) (left time.Duration, err error) {
	err = s.write(ctx, func() {
		if l := s.bus.store.leases[lease]; l != nil {
			left = max(0, time.Until(l.ends)).Truncate(time.Second) + time.Second
		}
	})
	return left, err
}

// Close implements [bus.Session].
func (s *memSession) Close(ctx context.Context) error {
	s.bus.store.mu.Lock()
	ended := s.ended
	s.over(errClosed)
	s.bus.store.mu.Unlock()
	s.running.Wait()
	if ended {
		return nil
	}
	err := s.bus.call(ctx, func() error { s.bus.store.revoke(s.lease); return nil })
	if err != nil {
		s.bus.store.mu.Lock()
		s.bus.left = s.lease
		s.bus.store.mu.Unlock()
	}
	return err
}
