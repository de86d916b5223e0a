package etcd

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/providerd/providerd/daemon/fleet/bus"
)

// A session is a [bus.Session]: a lease, a goroutine that renews it and one that follows the
// keys.
type session struct {
	bus   *Bus
	lease int64
	own   string // key of the member itself, with the prefix

	batches  chan bus.Batch
	answered atomic.Pointer[time.Time] // with Go's monotonic clock
	cluster  atomic.Uint64
	watching atomic.Pointer[watch]
	again    atomic.Bool  // all keys are to be read again
	newest   atomic.Int64 // revision that etcd has been seen at

	ctx     context.Context // ends with the session
	end     context.CancelCauseFunc
	running sync.WaitGroup
}

// queued is how many batches wait for the reader. A batch of changes has about batchSize.
const (
	queued    = 8
	batchSize = 256 << 10
)

// Open implements [bus.Bus].
func (b *Bus) Open(ctx context.Context, own string, value []byte) (bus.Session, error) {
	s := &session{bus: b, own: b.Prefix + own, batches: make(chan bus.Batch, queued)}
	s.ctx, s.end = context.WithCancelCause(context.Background())
	resumed, err := s.resume(ctx, value)
	if err == nil && !resumed {
		err = s.join(ctx, value)
	}
	var all bus.Batch
	if err == nil {
		s.running.Go(s.keep) // to read all keys may take longer than the lease lasts
		all, err = s.load(ctx, 1)
	}
	if err != nil {
		s.end(err)
		s.running.Wait()
		b.leave(s.lease)
		if errors.Is(err, bus.ErrTaken) || errors.Is(ctx.Err(), context.Canceled) {
			b.giveBack(ctx)
		}
		return nil, err
	}
	s.running.Go(func() { s.follow(all) })
	return s, nil
}

// leave keeps the lease of a session that ended without giving it back; 0: none.
func (b *Bus) leave(lease int64) {
	b.mu.Lock()
	b.left = lease
	b.mu.Unlock()
}

// takeLeft is the lease that was left, and is to be resumed or ended; 0: none.
func (b *Bus) takeLeft() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	lease := b.left
	b.left = 0
	return lease
}

// giveBack ends the lease that was left.
func (b *Bus) giveBack(ctx context.Context) {
	lease := b.takeLeft()
	if lease == 0 {
		return
	}
	limit := b.Call
	if ctx.Err() != nil { // the caller waits for the end
		limit = min(limit, time.Second)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	if b.revoke(ctx, lease) != nil {
		b.leave(lease)
	}
}

// revoke ends a lease, and with it its keys.
func (b *Bus) revoke(ctx context.Context, lease int64) error {
	err := b.try(ctx, 1, func(ctx context.Context, c *conn) error {
		return b.call(ctx, c, "Lease/LeaseRevoke", &leaseRequest{lease}, &leaseResponse{})
	})
	if isProblem(err, LeaseGone) {
		return nil
	}
	return err
}

func isProblem(err error, p Problem) bool {
	var e *Error
	return errors.As(err, &e) && e.Problem == p
}

// resume takes up the lease that was left, if etcd still has it, and the own key as it is to be.
// Nothing is written then. If all members lose etcd, and come back, each would otherwise be told
// of all keys of all others, that they are deleted and that they are there again.
func (s *session) resume(ctx context.Context, value []byte) (bool, error) {
	s.lease = s.bus.takeLeft()
	if s.lease == 0 {
		return false, nil
	}
	err := s.bus.try(ctx, 1, s.renewOver)
	if isProblem(err, LeaseGone) {
		s.lease = 0
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var now rangeResponse
	err = s.bus.try(ctx, 1, func(ctx context.Context, c *conn) error {
		return s.bus.call(ctx, c, "KV/Range", &rangeRequest{key: s.own}, &now)
	})
	if err != nil {
		return false, err
	}
	if len(now.kvs) == 1 && now.kvs[0].lease == s.lease && bytes.Equal(now.kvs[0].value, value) {
		return true, s.heard(now.header)
	}
	if err = s.bus.revoke(ctx, s.lease); err == nil {
		s.lease = 0
	}
	return false, err
}

// join makes the lease and the own key.
func (s *session) join(ctx context.Context, value []byte) error {
	seconds := int64((s.bus.TTL + time.Second - 1) / time.Second)
	sent := time.Now()
	err := s.bus.try(ctx, 1, func(ctx context.Context, c *conn) error {
		sent = time.Now()
		var granted leaseResponse
		if err := s.bus.call(ctx, c, "Lease/LeaseGrant", &grantRequest{seconds}, &granted); err != nil {
			return err
		}
		s.lease = granted.id
		return s.heard(granted.header)
	})
	if err != nil {
		return err
	}
	s.answered.Store(&sent)
	_, won, err := s.create(ctx, s.own, value)
	switch {
	case err != nil:
		return err
	case !won:
		return bus.ErrTaken
	}
	return nil
}

// heard checks the header of an answer, and notes its revision.
func (s *session) heard(h header) error {
	if !s.cluster.CompareAndSwap(0, h.cluster) && s.cluster.Load() != h.cluster {
		return &Error{Problem: OtherCluster}
	}
	for {
		newest := s.newest.Load()
		if h.revision <= newest || s.newest.CompareAndSwap(newest, h.revision) {
			return nil
		}
	}
}

// keep renews the lease until it cannot.
func (s *session) keep() {
	verified := time.Now()
	for {
		if !sleep(s.ctx, time.Until(s.Answered().Add(s.bus.KeepAlive))) {
			return
		}
		err := s.renew()
		if err == nil && time.Since(verified) >= s.bus.Verify {
			verified = time.Now()
			err = s.verify()
		}
		if err != nil {
			s.over(err)
			return
		}
	}
}

// renew renews the lease once, over another connection if that one fails. LeaseKeepAlive takes
// a stream of requests, but a stream that stays open costs the server memory for each member.
func (s *session) renew() error {
	limit := min(s.bus.Unanswered, time.Until(s.Answered().Add(s.bus.TTL)))
	if limit <= 0 { // this process stood still
		return &Error{Problem: LeaseGone}
	}
	ctx, cancel := context.WithTimeout(s.ctx, limit)
	defer cancel()
	return s.bus.try(ctx, 0, s.renewOver)
}

func (s *session) renewOver(ctx context.Context, c *conn) error {
	ctx, cancel := context.WithTimeout(ctx, s.bus.Unanswered/2) // leaves time for another server
	defer cancel()
	sent := time.Now()
	var answer leaseResponse
	err := s.bus.call(ctx, c, "Lease/LeaseKeepAlive", &leaseRequest{s.lease}, &answer)
	switch {
	case err != nil:
		return err
	case answer.ttl <= 0:
		return &Error{Problem: LeaseGone}
	}
	if err := s.heard(answer.header); err != nil {
		return err
	}
	s.answered.Store(&sent)
	return nil
}

// verify reads the own key, to notice that our permission or our key is gone although
// nothing is written.
func (s *session) verify() error {
	var answer rangeResponse
	ctx, cancel := context.WithTimeout(s.ctx, s.bus.Unanswered)
	defer cancel()
	before := s.newest.Load()
	err := s.bus.try(ctx, 0, func(ctx context.Context, c *conn) error {
		return s.bus.call(ctx, c, "KV/Range", &rangeRequest{key: s.own}, &answer)
	})
	if err != nil {
		return err
	}
	if err := s.heard(answer.header); err != nil {
		return err
	}
	switch {
	case answer.header.revision < before:
		return &Error{Problem: WentBack}
	case len(answer.kvs) == 0 || answer.kvs[0].lease != s.lease:
		return &Error{Problem: KeyGone}
	}
	return nil
}

// over ends the session because of an error.
func (s *session) over(err error) {
	if s.ctx.Err() == nil {
		s.bus.leave(s.lease)
	}
	s.end(err)
}

// Batches implements [bus.Session].
func (s *session) Batches() <-chan bus.Batch { return s.batches }

// Reread implements [bus.Session].
func (s *session) Reread() {
	s.again.Store(true)
	if w := s.watching.Load(); w != nil {
		w.end()
	}
}

// errClosed is the cause of a session's end that Close made.
var errClosed = errors.New("closed")

// Err implements [bus.Session].
func (s *session) Err() error {
	if err := context.Cause(s.ctx); !errors.Is(err, errClosed) {
		return err
	}
	return nil
}

// Answered implements [bus.Session].
func (s *session) Answered() time.Time { return *s.answered.Load() }

// Close implements [bus.Session].
func (s *session) Close(ctx context.Context) error {
	ended := s.ctx.Err() != nil
	s.end(errClosed)
	s.running.Wait()
	if ended {
		return nil
	}
	err := s.bus.revoke(ctx, s.lease)
	if err != nil {
		s.bus.leave(s.lease)
	}
	return err
}
