package book

import (
	"slices"
	"time"

	"github.com/providerd/providerd/store/provider"
)

const (
	firstRetry = 5 * time.Second
	lastRetry  = 15 * time.Minute
	triesFor   = 24 * time.Hour
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
// After a day the message is dead.
func (b *Book) Failed(id, why string, at, now time.Time, random float64) (changed bool) {
	m, i := b.message(id)
	if i < 0 {
		return false
	}
	m.Error, m.Asked = why, false
	wait := min(lastRetry, firstRetry<<min(m.Tries, 10))
	m.Tries++
	wait = wait*3/4 + time.Duration(float64(wait)/2*random)
	m.Next = now.Add(max(wait, min(at.Sub(now), triesFor))) // monotonic: setting the clock does not move it
	if now.Sub(m.Made) >= triesFor {
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
	b.unowe(m)
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

// unowe takes the ends of what a dead message told out of those behind it, which had to wait
// for it. The dead message gets them, in case that somebody revives it.
func (b *Book) unowe(dead *Message) {
	begun := slices.Clone(dead.Opened)
	if dead.Type == provider.NoticeOpened {
		begun = []string{dead.Provider}
	}
	_, at := b.message(dead.ID)
	for _, id := range begun {
		for i := at + 1; i < len(b.Outbox); i++ {
			m := b.Outbox[i]
			if !slices.Contains(m.About, id) || m.Dead != "" {
				continue
			}
			if until, ok := m.without(id); ok {
				b.amend(id, &Episode{Told: dead.ID, Until: until})
				if len(m.About) == 0 {
					b.Lost += m.Lost
					b.Outbox = slices.Delete(b.Outbox, i, i+1)
				} else {
					b.rename(m, messageID(m.ID, id, "unowed"))
				}
			}
			break
		}
	}
}

// without takes the end of a subject's trouble out of a message, and returns when it was, as far
// as the message says so. It reports false if the message tells no such end.
func (m *Message) without(id string) (until time.Time, ok bool) {
	if m.Type == provider.NoticeClosed {
		m.About = nil
		return m.Until.Time, true
	}
	if !slices.Contains(m.Closed, id) {
		return until, false
	}
	isOf := func(other string) bool { return other == id }
	m.Closed = slices.DeleteFunc(slices.Clone(m.Closed), isOf)
	found := false
	for i := range m.Worst {
		if item := m.Worst[i]; item.Type == provider.NoticeClosed && item.Provider == id {
			until, found = item.Until.Time, true
			m.Worst = slices.Delete(slices.Clone(m.Worst), i, i+1)
			break
		}
	}
	if !found {
		m.More--
	}
	if !slices.Contains(m.Opened, id) && !slices.Contains(m.Merged, id) {
		m.About = slices.DeleteFunc(slices.Clone(m.About), isOf)
	}
	return until, true
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
