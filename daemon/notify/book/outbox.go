package book

import (
	"slices"
	"time"
)

const (
	firstRetry = 5 * time.Second
	lastRetry  = 15 * time.Minute
	triesFor   = 24 * time.Hour
	triesLeast = 10 * time.Minute // after the daemon was off, or was silent in quiet hours
)

// Ready returns the messages to send now, and when to call it again. A message waits only for
// earlier ones about the same provider. later reports whether one cannot be sent yet.
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
		case later(m):
			m.Waits, m.Tried = 0, time.Time{}
		case !free:
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

// Accepted removes a message that its receiver has accepted.
func (b *Book) Accepted(id string, now time.Time) (changed bool) {
	_, i := b.message(id)
	if i < 0 {
		return false // a merged one has replaced it
	}
	b.Outbox = slices.Delete(b.Outbox, i, i+1)
	b.Sent++
	b.SentAt = now
	return true
}

// Arrived reports whether a message that was made has been accepted.
func (b *Book) Arrived(id string) bool {
	_, i := b.message(id)
	return id != "" && i < 0
}

// Failed plans the next try; not before at, if the receiver named a time. random is in [0, 1).
// After a day the message is dead. A day in which nothing was sent does not count by itself: the
// network may come back later than the daemon.
func (b *Book) Failed(id, why string, at, now time.Time, random float64) (changed bool) {
	m, i := b.message(id)
	if i < 0 {
		return false
	}
	wait := min(lastRetry, firstRetry<<min(m.Waits, 10))
	m.Tries++
	if !m.Asked { // somebody who is impatient does not delay it
		m.Waits++
	}
	m.Error, m.Asked = why, false
	if m.Tried.IsZero() {
		m.Tried = now
	}
	wait = wait*3/4 + time.Duration(float64(wait)/2*random)
	m.Next = now.Add(max(wait, min(at.Sub(now), triesFor))) // monotonic: setting the clock does not move it
	if now.Sub(m.Made) >= triesFor && now.Sub(m.Tried) >= triesLeast {
		return b.Reject(id, "not accepted within a day: "+why)
	}
	return false
}

// Hurry sends messages that wait for another try now, because the cause of the failure is gone.
func (b *Book) Hurry() {
	for _, m := range b.Outbox {
		m.Next = time.Time{}
	}
}

// Reject makes a message dead. Retry revives it.
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

// Retry revives a dead message: it has a day again to be accepted, but keeps its age.
func (b *Book) Retry(id string, now time.Time) (changed bool) {
	m, i := b.message(id)
	if i < 0 || m.Dead == "" {
		return false
	}
	m.Dead, m.Tries, m.Waits, m.Next, m.Made = "", 0, 0, time.Time{}, now
	return true
}

// Drop removes a message that nobody needs any more, dead or not.
func (b *Book) Drop(id string) (changed bool) {
	m, i := b.message(id)
	if i < 0 {
		return false
	}
	b.untold(m)
	b.Outbox = slices.Delete(b.Outbox, i, i+1)
	return true
}

// untold forgets that people were told of the message's episodes, so their end is not told.
func (b *Book) untold(m *Message) {
	for _, id := range m.About {
		sub := b.Subjects[id]
		if sub == nil {
			continue
		}
		if e := sub.Episode; e != nil && e.Told == m.ID && !e.Heard {
			e.Told = ""
		}
		sub.Over = slices.DeleteFunc(sub.Over, func(e *Episode) bool { return e.Told == m.ID && !e.Heard })
	}
}
