package fleet

import (
	"context"
	"sync"
	"time"

	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/wire"
)

// joined is a session that is open. Its fields are guarded by the engine's lock.
type joined struct {
	s       bus.Session
	ctx     context.Context // ends with it
	end     context.CancelFunc
	running sync.WaitGroup

	jobs   []job
	busy   int
	reread bool      // the members' lists may have changed for every item
	looked time.Time // when all items were looked at last

	batchAt time.Time // when the last batch came; zero: none did

	parts   int    // of what this member lists, that are written
	said    uint64 // the listing that is in them; 0: none of ours
	saying  int    // writes of parts in progress
	failing bool   // a part could not be written; the next look tries again

	host   string
	hostAt time.Time
	lag    time.Duration // from our write to our receipt, the last time; 0: unknown

	kept       map[*item]int64 // own claims, while all keys are read again
	unreleased []func()        // again, because it failed
}

// A job is something for the bus. do runs without the lock, then with it.
type job struct {
	do   func(ctx context.Context, s bus.Session) error
	then func(err error)
}

// newJoined is a session whose own key has the first part of a listing.
func newJoined(s bus.Session, said uint64) *joined {
	j := &joined{s: s, parts: 1, said: said}
	j.ctx, j.end = context.WithCancel(context.Background())
	return j
}

// put gives the session a job. It is dropped if the session ends before.
func (e *Engine) put(do func(ctx context.Context, s bus.Session) error, then func(err error)) {
	j := e.joined
	j.jobs = append(j.jobs, job{do, then})
	e.work(j)
}

// work starts as many jobs as may run at once.
func (e *Engine) work(j *joined) {
	for len(j.jobs) > 0 && j.busy < writesAtOnce {
		next := j.jobs[0]
		j.jobs[0] = job{}
		j.jobs = j.jobs[1:]
		j.busy++
		e.count.Writes++
		j.running.Go(func() {
			ctx, cancel := context.WithTimeout(j.ctx, writeWithin)
			err := next.do(ctx, j.s)
			cancel()
			e.mu.Lock()
			defer e.mu.Unlock()
			j.busy--
			if e.joined != j {
				return
			}
			next.then(err)
			e.work(j)
			signal(e.woken)
		})
	}
}

// leave ends a session. If it is not over yet, its lease is given back with all of its keys, so
// that others need not wait.
func (e *Engine) leave(j *joined) {
	e.mu.Lock()
	if e.joined == j {
		e.joined = nil
	}
	j.jobs = nil
	e.mu.Unlock()
	j.end()
	j.running.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), leaveWithin)
	defer cancel()
	_ = j.s.Close(ctx) // its lease ends by itself
	for range j.s.Batches() {
	}
}

// retry does again what failed, but for what is due at every look.
func (e *Engine) retry(j *joined) {
	again := j.unreleased
	j.unreleased, j.failing = nil, false
	for _, release := range again {
		release()
	}
}

// ownParts is what this member says of itself, by part.
func (e *Engine) ownParts() [][]byte {
	m := wire.Member{Host: e.o.Host, Version: e.o.Version, Follows: e.follows(), Since: e.listedAt.Unix()}
	if e.cfg != nil {
		m.Key = wire.KeyTag(e.cfg.Key)
	}
	for _, it := range e.items {
		m.Tags = append(m.Tags, it.id.FP.Tag())
	}
	return wire.EncodeMember(m)
}

// announce writes what this member lists, if that changed, and removes the parts that are not
// needed any more. Two listings are not written at the same time: the older could be the one that
// stays.
func (e *Engine) announce(j *joined) {
	if j.saying > 0 || j.failing || j.said == e.listing {
		return
	}
	parts, self, listing := e.ownParts(), e.cfg.Member, e.listing
	then := func(err error) {
		j.saying--
		j.failing = j.failing || err != nil
		if j.saying == 0 && !j.failing {
			j.said, j.parts = listing, len(parts)
		}
	}
	j.saying = max(len(parts), j.parts)
	for n, value := range parts {
		key := wire.PartKey(self, n)
		e.put(func(ctx context.Context, s bus.Session) error {
			_, err := s.Put(ctx, key, value, true)
			return err
		}, then)
	}
	for n := len(parts); n < j.parts; n++ {
		key := wire.PartKey(self, n)
		e.put(func(ctx context.Context, s bus.Session) error { return s.Delete(ctx, key) }, then)
	}
}
