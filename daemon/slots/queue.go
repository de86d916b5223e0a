// Package slots decides who may use a provider now: a number of callers at a time, a gap
// between their starts, and turns of their users. It knows no clock and no connection.
package slots

import (
	"errors"
	"slices"
	"sync"
	"time"
)

// The most that wait for the slots of one provider, in all and of one user.
const (
	MostWaiting        = 1024
	MostWaitingPerUser = 256
)

// ErrFull means that too many wait already.
var ErrFull = errors.New("too many wait for a slot")

// A Limit is the configuration of a provider's slots. The zero Limit has none.
type Limit struct {
	Slots int
	Gap   time.Duration // at least this time between two starts
}

// A User is the one whose turn it is. Callers that the system cannot identify are one User, and
// so are those of other namespaces.
type User struct {
	UID     uint32
	Known   bool
	Foreign bool // of another namespace; UID is no number of a user here
}

// Counts is how a queue stands.
type Counts struct{ Used, Waiting int }

// A Queue has the slots of one provider, and those who wait for them. Users take turns: of
// those who wait, the user served longest ago is next, and for each user the first who came.
// Nobody loses a slot, so a user can hold them all for as long as its callers run.
type Queue struct {
	mu      sync.Mutex
	limit   Limit
	changed chan struct{} // closed when the limit changes or a slot is free again
	held    []*Ticket     // by the slot's number, from 1; nil: free
	used    int
	last    time.Time // of the last start
	turns   []User    // who wait, the next one first
	waiting map[User][]*Ticket
	count   int // of the waiting

	served map[User]uint64 // when each user last got a slot: the number of the start
	starts uint64
}

// mostServed is how many users a queue remembers that it has served.
const mostServed = 4096

// A Ticket is a place in the queue, and then a slot.
type Ticket struct {
	queue   *Queue
	user    User
	granted chan struct{}
	slot    int       // 0 while it waits, -1 once it has left
	since   time.Time // when it got the slot
}

// New makes a queue.
func New(l Limit) *Queue {
	return &Queue{limit: l, changed: make(chan struct{}), waiting: make(map[User][]*Ticket), served: make(map[User]uint64)}
}

// SetLimit changes the limit from now on. Slots beyond a smaller limit stay with their
// holders, and are not given again.
func (q *Queue) SetLimit(l Limit) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.limit != l {
		q.limit = l
		q.wake()
	}
}

// Limit is the limit in force.
func (q *Queue) Limit() Limit {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.limit
}

// Counts is how many hold a slot, and how many wait.
func (q *Queue) Counts() Counts {
	q.mu.Lock()
	defer q.mu.Unlock()
	return Counts{q.used, q.count}
}

// Changed is closed when the limit changes or a slot is free again: a reason for those who
// wait to call Grant.
func (q *Queue) Changed() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.changed
}

func (q *Queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// Enter joins the queue. The caller leaves it, with or without a slot.
func (q *Queue) Enter(u User) (*Ticket, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	own := q.waiting[u]
	if q.count >= MostWaiting || len(own) >= MostWaitingPerUser {
		return nil, ErrFull
	}
	t := &Ticket{queue: q, user: u, granted: make(chan struct{})}
	if len(own) == 0 {
		q.line(u)
	}
	q.waiting[u] = append(own, t)
	q.count++
	return t, nil
}

// line puts a user among those who wait, behind those who were served before.
func (q *Queue) line(u User) {
	at := slices.IndexFunc(q.turns, func(other User) bool { return q.served[other] > q.served[u] })
	if at < 0 {
		at = len(q.turns)
	}
	q.turns = slices.Insert(q.turns, at, u)
}

// Grant gives the free slots to those whose turn it is. isOpen reports whether the provider
// can be used; no slot is granted between its answer and these. If only the gap stands in the
// way, Grant returns how long.
func (q *Queue) Grant(now time.Time, isOpen func() bool) (wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.count == 0 || q.used >= q.limit.Slots || !isOpen() {
		return 0
	}
	for q.count > 0 && q.used < q.limit.Slots {
		if early := q.last.Add(q.limit.Gap).Sub(now); q.limit.Gap > 0 && !q.last.IsZero() && early > 0 {
			return early
		}
		q.next(now)
	}
	return 0
}

// next gives a slot to the one whose turn it is.
func (q *Queue) next(now time.Time) {
	u := q.turns[0]
	t := q.waiting[u][0]
	q.turns = slices.Delete(q.turns, 0, 1)
	if len(q.served) >= mostServed {
		clear(q.served)
	}
	q.starts++
	q.served[u] = q.starts
	if q.unqueue(t); q.waiting[u] != nil {
		q.line(u)
	}
	i := slices.Index(q.held, nil)
	if i < 0 {
		i = len(q.held)
		q.held = append(q.held, nil)
	}
	q.held[i] = t
	q.used++
	q.last = now
	t.slot, t.since = i+1, now
	close(t.granted)
}

// unqueue takes a ticket out of those who wait, but not its user out of the turns.
func (q *Queue) unqueue(t *Ticket) {
	own := q.waiting[t.user]
	i := slices.Index(own, t)
	own = slices.Delete(own, i, i+1)
	q.count--
	if q.waiting[t.user] = own; len(own) == 0 {
		delete(q.waiting, t.user)
	}
}

// Granted is closed when the ticket has a slot.
func (t *Ticket) Granted() <-chan struct{} { return t.granted }

// Slot is the number of the slot, from 1; 0 if it has none.
func (t *Ticket) Slot() int {
	t.queue.mu.Lock()
	defer t.queue.mu.Unlock()
	return max(0, t.slot)
}

// Leave gives up the slot or the place in the queue. It may be called more than once.
func (t *Ticket) Leave() {
	q := t.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case t.slot < 0:
		return
	case t.slot > 0:
		q.held[t.slot-1] = nil
		q.used--
		q.wake()
	default:
		if q.unqueue(t); q.waiting[t.user] == nil {
			q.turns = slices.DeleteFunc(q.turns, func(u User) bool { return u == t.user })
		}
	}
	t.slot = -1
}
