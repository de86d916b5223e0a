package fleet

import (
	"context"
	"slices"
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

	parts    int // of what this member lists, that are written
	host     string
	hostAt   time.Time
	lag      time.Duration // from our write to our receipt, the last time; 0: unknown
	heldRows map[string]time.Time

	leftovers []string        // keys to delete when it is left
	kept      map[*item]int64 // own claims, while all keys are read again
	unremoved []string        // keys whose deletion failed
	unsaid    bool            // what this member lists could not be written
}

// A job is something for the bus. do runs without the lock, then with it.
type job struct {
	do   func(ctx context.Context, s bus.Session) error
	then func(err error)
}

func newJoined(s bus.Session) *joined {
	j := &joined{s: s, heldRows: map[string]time.Time{}}
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

// leave ends a session. If it is not over yet, it gives everything back, so that others need not
// wait for its lease.
func (e *Engine) leave(j *joined) {
	e.mu.Lock()
	if e.joined == j {
		j.leftovers = e.unlisted()
		e.joined = nil
	}
	keys := j.leftovers
	j.jobs = nil
	e.mu.Unlock()
	j.end()
	j.running.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), leaveWithin)
	defer cancel()
	for ; len(keys) > 0; keys = keys[min(len(keys), deletesAtOnce):] {
		_ = j.s.Delete(ctx, keys[:min(len(keys), deletesAtOnce)]...) // what stays is overwritten, or never read
	}
	_ = j.s.Close(ctx) // its lease ends by itself
	for range j.s.Batches() {
	}
}

// unlisted are the keys of providers that nobody lists once this machine has left.
func (e *Engine) unlisted() (keys []string) {
	for _, it := range e.items {
		if len(e.listers(it)) == 0 {
			keys = append(keys, leftovers(it)...)
		}
	}
	return keys
}

// deletesAtOnce is how many keys one transaction deletes.
const deletesAtOnce = 90

func (e *Engine) remove(keys []string) {
	for ; len(keys) > 0; keys = keys[min(len(keys), deletesAtOnce):] {
		some := keys[:min(len(keys), deletesAtOnce)]
		e.put(func(ctx context.Context, s bus.Session) error { return s.Delete(ctx, some...) }, func(err error) {
			if err != nil {
				e.joined.unremoved = append(e.joined.unremoved, some...)
			}
		})
	}
}

// retry does again what failed, but for what is due at every look.
func (e *Engine) retry(j *joined) {
	keys, unsaid := j.unremoved, j.unsaid
	j.unremoved, j.unsaid = nil, false
	keys = slices.DeleteFunc(keys, func(key string) bool {
		k, ok := wire.ParseKey(key)
		return ok && e.byFP[k.FP] != nil // it is listed again
	})
	e.remove(keys)
	if unsaid {
		e.announce(j)
	}
}

// own is what this member says of itself, by part.
func (e *Engine) own() [][]byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ownParts()
}

func (e *Engine) ownParts() [][]byte {
	m := wire.Member{Host: e.o.Host, Version: e.o.Version, Follows: e.follows(), Since: time.Now().Unix()}
	for _, it := range e.items {
		m.Tags = append(m.Tags, it.id.FP.Tag())
	}
	return wire.EncodeMember(m)
}

// announce writes what this member lists, and removes the parts that are not needed any more.
func (e *Engine) announce(j *joined) {
	parts, self := e.ownParts(), e.cfg.Member
	for n, value := range parts {
		key := wire.PartKey(self, n)
		e.put(func(ctx context.Context, s bus.Session) error {
			_, err := s.Put(ctx, key, value, true)
			return err
		}, func(err error) { j.unsaid = j.unsaid || err != nil })
	}
	var old []string
	for n := len(parts); n < j.parts; n++ {
		old = append(old, wire.PartKey(self, n))
	}
	e.remove(old)
	j.parts = len(parts)
}
