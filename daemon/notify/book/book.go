// Package book decides what people are told, and when. It is pure: a [Book] is what one sink
// has been told and is still owed; events, the settings and the time go in, and the messages
// to send stand in the book.
//
// Trouble of a provider is an [Episode]. It is told once when it begins and once when it is
// over; the second only if the first was. The engine saves the book, which has both the
// position in the event log and the messages that follow from the events so far. A message is
// sent only when the book that has it is on the disk, and is taken out when the receiver has
// accepted it: a crash at any moment makes a message arrive twice, with the same id, and never
// not at all.
package book

import (
	"slices"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// Settings are a sink's.
type Settings struct {
	Sink   string
	Host   string // the name of this machine
	On     []provider.Topic
	Wants  func(id string) bool // whether it wants news of the provider
	After  time.Duration        // how long trouble must last
	Gather time.Duration        // how long to wait for more of it
	Most   int                  // messages an hour; then they are put together

	// Quiet is until when the sink wants no messages at that time; zero: it wants them.
	Quiet func(now time.Time) time.Time
	// Maintained is until when trouble of the provider is expected; zero: it is not.
	Maintained func(id string, now time.Time) time.Time
}

// wants reports whether events of the subject belong into the book. Those of this machine do in
// any case: while it is offline nothing can be sent.
func (s *Settings) wants(id string) bool {
	return id == provider.HostID || s.Wants == nil || s.Wants(id)
}

func (s *Settings) on(t provider.Topic) bool { return slices.Contains(s.On, t) }

// muted reports whether an episode that is over began and ended while nobody wanted to know.
func (s *Settings) muted(id string, e *Episode) bool {
	return !e.Until.After(s.quiet(e.Due)) || !e.Until.After(s.maintained(id, e.Due))
}

func (s *Settings) quiet(now time.Time) time.Time {
	if s.Quiet == nil {
		return time.Time{}
	}
	return s.Quiet(now)
}

func (s *Settings) maintained(id string, now time.Time) time.Time {
	if s.Maintained == nil {
		return time.Time{}
	}
	return s.Maintained(id, now)
}

// after is how long an episode must last before it is told. A server that starts is on its
// way up, unless that takes too long.
func (s *Settings) after(e *Episode) time.Duration {
	if e.State == provider.StateStarting {
		return max(s.After, startsWithin)
	}
	return s.After
}

const (
	startsWithin = 10 * time.Minute // what STARTING may last before it is trouble
	many         = 5                // more messages than this at once are one digest
	stormLasts   = 5 * time.Minute  // after a digest, how long the next one can be put off
	flapWindow   = 5 * time.Minute
	flapChanges  = 4 // more than this many changes within flapWindow are flapping
	deadKept     = 100
)

// A Book is what one sink has been told, and is owed. It is saved as JSON.
type Book struct {
	Cursor   uint64              `json:"cursor"` // the last event that is in the book
	Subjects map[string]*Subject `json:"subjects,omitempty"`
	Outbox   []*Message          `json:"outbox,omitempty"`  // oldest first
	Made     []time.Time         `json:"made,omitempty"`    // when the messages of the last hour were made
	Digest   time.Time           `json:"digest,omitzero"`   // when the last digest was made
	Regained time.Time           `json:"regained,omitzero"` // when this machine was last online again
	Lost     uint64              `json:"lost,omitempty"`    // events that were gone, which the next message says
	// Unsettled means that what happened since the book was saved is not known, and that
	// [Book.Resync] is waited for; Forgotten, that what was told before is not known either.
	Unsettled bool `json:"unsettled,omitempty"`
	Forgotten bool `json:"forgotten,omitempty"`

	Sent    uint64    `json:"sent,omitempty"` // messages that were accepted
	Refused uint64    `json:"refused,omitempty"`
	SentAt  time.Time `json:"sent_at,omitzero"` // the last one
}

// A Subject is a provider, or this machine, in a book.
type Subject struct {
	Never   bool        `json:"never,omitempty"`   // it has not been usable since the sink knows it, so it opens nothing
	Episode *Episode    `json:"episode,omitempty"` // the one that lasts or, while it flaps, has not come to rest
	Over    []*Episode  `json:"over,omitempty"`    // those that are over, and of which something is owed
	Changes []time.Time `json:"changes,omitempty"` // of being usable, within flapWindow
}

// An Episode is trouble, from its beginning to its end.
type Episode struct {
	Seq    uint64          `json:"seq"` // of the event with which it began
	Topic  provider.Topic  `json:"topic"`
	State  provider.State  `json:"state"`
	Reason provider.Reason `json:"reason"`
	Detail string          `json:"detail,omitempty"`
	Hint   string          `json:"hint,omitempty"`
	Since  time.Time       `json:"since"`
	Until  time.Time       `json:"until,omitzero"`
	After  Ending          `json:"after,omitzero"` // what came after it
	Times  int             `json:"times"`          // how often it began

	Due    time.Time      `json:"due,omitzero"`      // when it has lasted long enough to be told; zero: it is not news
	Told   string         `json:"told,omitempty"`    // the message that told it
	ToldAs provider.Topic `json:"told_as,omitempty"` // and as what
}

// An Ending is what came after an episode.
type Ending struct {
	State  provider.State  `json:"state"`
	Reason provider.Reason `json:"reason"`
	Detail string          `json:"detail,omitempty"`
	Seq    uint64          `json:"seq"`
}

// A Message is a notice that has not been accepted yet.
type Message struct {
	provider.Notice
	About []string  `json:"about"` // the subjects in it
	Made  time.Time `json:"made"`
	Dead  string    `json:"dead,omitempty"` // why it is not sent any more

	Saved string    `json:"-"` // its id on the disk; empty: it is not there
	Tries int       `json:"-"` // since this daemon began
	Next  time.Time `json:"-"` // not before this
	Error string    `json:"-"` // of the last try
}

// rank orders topics by how bad they are.
func rank(t provider.Topic) int {
	switch t {
	case provider.TopicIncident:
		return 1
	case provider.TopicLimited:
		return 2
	case provider.TopicUnusable, provider.TopicHost:
		return 3
	case provider.TopicAttention:
		return 4
	}
	return 0
}

// bound brings times that have yet to come, and should not, back to now: somebody set the clock
// back.
func (b *Book) bound(s *Settings, now time.Time) {
	bound := func(t *time.Time, most time.Duration) {
		if t.After(now.Add(most + time.Minute)) {
			*t = now.Add(most)
		}
	}
	bound(&b.Regained, 0)
	bound(&b.Digest, 0)
	for _, sub := range b.Subjects {
		for _, e := range sub.Over {
			bound(&e.Since, 0)
			bound(&e.Until, 0)
		}
		if e := sub.Episode; e != nil {
			bound(&e.Since, 0)
			bound(&e.Until, 0)
			bound(&e.Due, s.after(e))
		}
	}
}

func (b *Book) subject(id string) *Subject {
	s := b.Subjects[id]
	if s == nil {
		if b.Subjects == nil {
			b.Subjects = map[string]*Subject{}
		}
		s = &Subject{}
		b.Subjects[id] = s
	}
	return s
}

// message returns a message of the outbox, and its index; -1: there is none.
func (b *Book) message(id string) (*Message, int) {
	i := slices.IndexFunc(b.Outbox, func(m *Message) bool { return m.ID == id })
	if i < 0 {
		return nil, -1
	}
	return b.Outbox[i], i
}
