package book

import (
	"slices"
	"time"
)

const (
	firstRetry = 5 * time.Second
	lastRetry  = 15 * time.Minute
	triesFor   = 24 * time.Hour
)

// Ready returns the messages to send now, and when to look again. A message waits for earlier
// ones about the same provider, and for no others. later are those that cannot be sent yet.
func (b *Book) Ready(later func(m *Message) bool, now time.Time) (ready []*Message, next time.Time) {
	held := map[string]bool{}
	for _, m := range b.Outbox {
		if m.Dead != "" {
			continue
		}
		free := !slices.ContainsFunc(m.About, func(id string) bool { return held[id] })
		for _, id := range m.About {
			held[id] = true
		}
		switch {
		case !free || later(m):
		case m.Next.After(now):
			if next.IsZero() || m.Next.Before(next) {
				next = m.Next
			}
		default:
			ready = append(ready, m)
		}
	}
	return ready, next
}

// Accepted takes out a message that its receiver has accepted.
func (b *Book) Accepted(id string, now time.Time) (changed bool) {
	_, i := b.message(id)
	if i < 0 {
		return false // a merged one has taken its place
	}
	b.Outbox = slices.Delete(b.Outbox, i, i+1)
	b.Sent++
	b.SentAt = now
	return true
}

// Failed plans the next try; not before at, if the receiver named a time. random is in [0, 1).
// After a day the message is dead.
func (b *Book) Failed(id, why string, at, now time.Time, random float64) (changed bool) {
	m, i := b.message(id)
	if i < 0 {
		return false
	}
	m.Error = why
	wait := min(lastRetry, firstRetry<<min(m.Tries, 10))
	m.Tries++
	wait = wait*3/4 + time.Duration(float64(wait)/2*random)
	m.Next = now.Add(max(wait, min(at.Sub(now), triesFor))) // on a clock that nobody sets
	if now.Sub(m.Made) >= triesFor {
		return b.Reject(id, "not accepted within a day: "+why)
	}
	return false
}

// Hurry makes what waits for another try be sent now, because its cause is gone.
func (b *Book) Hurry() {
	for _, m := range b.Outbox {
		m.Next = time.Time{}
	}
}

// Reject gives up a message, which can be revived.
func (b *Book) Reject(id, why string) (changed bool) {
	m, i := b.message(id)
	if i < 0 || m.Dead != "" {
		return false
	}
	m.Dead, m.Error = why, why
	b.Refused++
	for b.dead() > deadKept {
		b.Drop(b.Outbox[slices.IndexFunc(b.Outbox, func(m *Message) bool { return m.Dead != "" })].ID)
	}
	return true
}

// dead is the number of dead messages.
func (b *Book) dead() (n int) {
	for _, m := range b.Outbox {
		if m.Dead != "" {
			n++
		}
	}
	return n
}

// Retry makes a dead message one that is sent. It is as old as it was, except for the day
// within which it must be accepted.
func (b *Book) Retry(id string, now time.Time) (changed bool) {
	m, i := b.message(id)
	if i < 0 || m.Dead == "" {
		return false
	}
	m.Dead, m.Tries, m.Next, m.Made = "", 0, time.Time{}, now
	return true
}

// Drop takes out a message that nobody needs any more, dead or not.
func (b *Book) Drop(id string) (changed bool) {
	m, i := b.message(id)
	if i < 0 {
		return false
	}
	b.untold(m)
	b.Outbox = slices.Delete(b.Outbox, i, i+1)
	return true
}

// untold forgets that a message told of its episodes, so that their end is not owed.
func (b *Book) untold(m *Message) {
	for _, id := range m.About {
		sub := b.Subjects[id]
		if sub == nil {
			continue
		}
		if e := sub.Episode; e != nil && e.Told == m.ID {
			e.Told = ""
		}
		sub.Over = slices.DeleteFunc(sub.Over, func(e *Episode) bool { return e.Told == m.ID })
	}
}
