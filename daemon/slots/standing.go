package slots

import "time"

// A Standing is how a queue stands.
type Standing struct {
	Holders []Holder // by the slots' numbers
	Waiters []Waiter // in the order of their turns
}

// A Holder has a slot.
type Holder struct {
	Slot  int
	User  User
	Since time.Time
}

// A Waiter is a user with callers that wait.
type Waiter struct {
	User  User
	Count int
}

// Standing is who holds a slot, and who waits.
func (q *Queue) Standing() (s Standing) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, t := range q.held {
		if t != nil {
			s.Holders = append(s.Holders, Holder{i + 1, t.user, t.since})
		}
	}
	for _, u := range q.turns {
		s.Waiters = append(s.Waiters, Waiter{u, len(q.waiting[u])})
	}
	return s
}
