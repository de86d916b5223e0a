package fleet_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/providerd/providerd/daemon/fleet/bus"
)

// The times of etcd and of its client in daemon/fleet/etcd.
const (
	leaseTTL   = 15 * time.Second
	keepAlive  = 5 * time.Second
	unanswered = 7 * time.Second
	callLimit  = 3 * time.Second
	lagLimit   = 5 * time.Second
	tick       = 500 * time.Millisecond // a server removes leases that have expired once each tick
)

var (
	errUnreachable = errors.New("not reachable")
	errLeaseGone   = errors.New("our lease is gone")
)

// A memStore is the keys of one fleet, with etcd's revisions and leases.
type memStore struct {
	mu      sync.Mutex
	down    bool
	rev     int64
	keys    map[string]bus.Change
	leases  map[int64]*memLease
	last    int64 // lease
	open    map[*memSession]bool
	writes  int                                        // revisions since the test set it
	written func(by string, c bus.Change, fence int64) // called with mu held; nil: no one is interested
}

type memLease struct {
	ends  time.Time
	timer *time.Timer
}

func newMemStore() *memStore {
	return &memStore{rev: 1, keys: map[string]bus.Change{}, leases: map[int64]*memLease{}, open: map[*memSession]bool{}}
}

// grant makes a lease. The caller holds mu.
func (s *memStore) grant(ttl time.Duration) int64 {
	s.last++
	id, l := s.last, &memLease{ends: time.Now().Add(ttl)}
	l.timer = time.AfterFunc(ttl+tick, func() { s.expire(id) })
	s.leases[id] = l
	return id
}

// renew extends a lease, unless it is gone.
func (s *memStore) renew(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.extend(id)
}

// extend is renew. The caller holds mu.
func (s *memStore) extend(id int64) bool {
	l := s.leases[id]
	if l == nil {
		return false
	}
	l.ends = time.Now().Add(leaseTTL)
	l.timer.Reset(leaseTTL + tick)
	return true
}

// expire ends a lease whose time is over. A server that is down removes it once it is back.
func (s *memStore) expire(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch l := s.leases[id]; {
	case l == nil:
	case s.down:
		l.timer.Reset(tick)
	default:
		s.revoke(id)
	}
}

// revoke ends a lease and deletes its keys in one revision. The caller holds mu.
func (s *memStore) revoke(id int64) {
	l := s.leases[id]
	if l == nil {
		return
	}
	l.timer.Stop()
	delete(s.leases, id)
	var gone []string
	for key, c := range s.keys {
		if c.Lease == id {
			gone = append(gone, key)
		}
	}
	slices.Sort(gone)
	s.remove(gone)
}

// remove deletes keys in one revision. The caller holds mu.
func (s *memStore) remove(keys []string) {
	var changes []bus.Change
	for _, key := range keys {
		if c, is := s.keys[key]; is {
			changes = append(changes, bus.Change{Key: key, Created: c.Created, Written: s.rev + 1})
			delete(s.keys, key)
		}
	}
	if len(changes) > 0 {
		s.rev++
		s.writes++
		s.publish(changes...)
	}
}

// put writes a key. The caller holds mu.
func (s *memStore) put(by, key string, value []byte, lease, fence int64) int64 {
	s.rev++
	s.writes++
	c := bus.Change{Key: key, Value: slices.Clone(value), Created: cmp.Or(s.keys[key].Created, s.rev), Written: s.rev, Lease: lease}
	if c.Value == nil {
		c.Value = []byte{}
	}
	s.keys[key] = c
	if s.written != nil {
		s.written(by, c, fence)
	}
	s.publish(c)
	return s.rev
}

func (s *memStore) publish(changes ...bus.Change) {
	for session := range s.open {
		session.queue(s.rev, changes)
	}
}

// all are the keys as of now. The caller holds mu.
func (s *memStore) all() bus.Batch {
	b := bus.Batch{All: true, Revision: s.rev}
	for _, key := range slices.Sorted(maps.Keys(s.keys)) {
		b.Changes = append(b.Changes, s.keys[key])
	}
	return b
}

// set writes a key as someone else with access to the store could.
func (s *memStore) set(key string, value []byte) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put("", key, value, 0, 0)
}

// unset deletes keys as someone else with access to the store could.
func (s *memStore) unset(keys ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(keys)
}

// get reads a key.
func (s *memStore) get(key string) (bus.Change, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, is := s.keys[key]
	return c, is
}

// stop makes the store unreachable for all, until it is started again. Leases outlive that, as
// etcd extends them after it elected a leader.
func (s *memStore) stop(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
	for _, l := range s.leases {
		if !down && time.Until(l.ends) < leaseTTL {
			l.ends = time.Now().Add(leaseTTL)
			l.timer.Reset(leaseTTL + tick)
		}
	}
	s.wake()
}

// wake lets the sessions see that what they can reach changed. The caller holds mu.
func (s *memStore) wake() {
	for session := range s.open {
		session.nudge()
	}
}

// A memBus is one member's way to the store.
type memBus struct {
	store *memStore
	name  string
	left  int64 // lease of a session that ended without giving it back
	// What follows is guarded by store.mu.
	cut     bool // nothing passes
	frozen  bool // the process stands still: it neither renews nor notices
	refused error
}

func (s *memStore) dial(name string) *memBus { return &memBus{store: s, name: name} }

// setCut disconnects the member, or connects it again.
func (b *memBus) setCut(cut bool) {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	b.cut = cut
	b.store.wake()
}

// setFrozen stops the member's renewals and its watch, or continues them. What the member
// writes passes.
func (b *memBus) setFrozen(frozen bool) {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	b.frozen = frozen
	b.store.wake()
}

func (b *memBus) unreachable() bool { return b.cut || b.store.down }

// call makes a call that takes a moment, and fails in time if the store cannot be reached.
func (b *memBus) call(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	if !pause(ctx, time.Millisecond) {
		return ctx.Err()
	}
	b.store.mu.Lock()
	if b.unreachable() {
		b.store.mu.Unlock()
		<-ctx.Done()
		return errUnreachable
	}
	defer b.store.mu.Unlock()
	if b.refused != nil {
		return b.refused
	}
	return do()
}

// pause waits, and reports whether ctx did not end.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Open implements [bus.Bus].
func (b *memBus) Open(ctx context.Context, own string, value []byte) (bus.Session, error) {
	s := &memSession{bus: b, batches: make(chan bus.Batch, 8), nudged: make(chan struct{}, 1), done: make(chan struct{})}
	err := b.call(ctx, func() error {
		if own := b.store.keys[own]; b.left != 0 && own.Lease == b.left && bytes.Equal(own.Value, value) {
			s.lease, b.left = b.left, 0
			b.store.extend(s.lease)
			s.answered = time.Now()
			s.pending, s.resend = nil, true
			b.store.open[s] = true
			return nil
		}
		b.store.revoke(b.left)
		b.left = 0
		if _, taken := b.store.keys[own]; taken {
			return bus.ErrTaken
		}
		s.lease = b.store.grant(leaseTTL)
		s.answered = time.Now()
		b.store.put(b.name, own, value, s.lease, 0)
		s.pending, s.resend = nil, true
		b.store.open[s] = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.running.Go(s.keep)
	s.running.Go(s.follow)
	return s, nil
}

// Close implements [bus.Bus].
func (b *memBus) Close() error { return nil }
