// Package book decides what people are told, and when. It does no I/O: a [Book] takes events,
// settings and the time, and holds the messages to send to one sink.
//
// Trouble of a provider is an [Episode]. People are told of its beginning and then of its end,
// each once; not of the end if they were not told of the beginning.
//
// The engine saves the position in the event log and the outbox together, as one book. A message
// is sent once it is in a saved book, and removed when the receiver has accepted it. So no crash
// loses a message. It can only make one arrive twice, with the same id.
package book

import (
	"slices"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// Settings are the settings of a sink.
type Settings struct {
	Sink   string
	Host   string // the name of this machine
	On     []provider.Topic
	Wants  func(id string) bool // whether it wants news of the provider
	After  time.Duration        // how long trouble must last
	Gather time.Duration        // how long to wait for more of it
	Most   int                  // messages an hour; more are combined in digests

	// Quiet returns when the quiet hours at that time end; zero: it is not in quiet hours.
	Quiet func(now time.Time) time.Time
	// Maintained returns when the provider's maintenance ends; zero: it is not in maintenance.
	Maintained func(id string, now time.Time) time.Time
}

// wants reports whether the book takes events of the subject. It always takes those of this
// machine, because nothing can be sent while it is offline.
func (s *Settings) wants(id string) bool {
	return id == provider.HostID || s.Wants == nil || s.Wants(id)
}

func (s *Settings) on(t provider.Topic) bool { return slices.Contains(s.On, t) }

// muted reports whether an episode came due and ended in the same maintenance or quiet hours.
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

// after is how long an episode must last before people are told. A provider that is starting is
// in trouble only if that takes too long.
func (s *Settings) after(e *Episode) time.Duration {
	if e.State == provider.StateStarting {
		return max(s.After, startsWithin)
	}
	return s.After
}

const (
	startsWithin = 10 * time.Minute // STARTING is trouble if it lasts longer
	many         = 5                // more messages than this at once are one digest
	stormLasts   = 5 * time.Minute  // how long the next digest can be put off
	flapWindow   = 5 * time.Minute
	flapChanges  = 4 // more than this many changes within flapWindow are flapping
	deadKept     = 100
)

// A Book is what one sink was told and still has to be told. It is saved as JSON.
type Book struct {
	Cursor   uint64              `json:"cursor"` // the last event that is in the book
	Subjects map[string]*Subject `json:"subjects,omitempty"`
	Outbox   []*Message          `json:"outbox,omitempty"`  // oldest first
	Made     []time.Time         `json:"made,omitempty"`    // when the messages of the last hour were made
	Digest   time.Time           `json:"digest,omitzero"`   // when the last digest was made
	Regained time.Time           `json:"regained,omitzero"` // when this machine last came back online
	Lost     uint64              `json:"lost,omitempty"`    // events that were lost, for the next message to report
	// Unsettled means that events since the book was saved are unknown, until [Book.Resync].
	// Forgotten means that what the sink was told is unknown, too.
	Unsettled bool `json:"unsettled,omitempty"`
	Forgotten bool `json:"forgotten,omitempty"`

	Sent    uint64    `json:"sent,omitempty"` // messages that were accepted
	Refused uint64    `json:"refused,omitempty"`
	SentAt  time.Time `json:"sent_at,omitzero"` // the last one
}

// A Subject is what a book knows about a provider or this machine.
type Subject struct {
	Never   bool        `json:"never,omitempty"`   // never usable since it is in the book: its trouble is not news
	Episode *Episode    `json:"episode,omitempty"` // in progress; also between two troubles while it flaps
	Over    []*Episode  `json:"over,omitempty"`    // ended, with something still to tell
	Changes []time.Time `json:"changes,omitempty"` // between usable and not, within flapWindow
}

// An Episode is trouble, from its beginning to its end.
type Episode struct {
	Seq    uint64          `json:"seq"` // of the event that began it
	Topic  provider.Topic  `json:"topic"`
	State  provider.State  `json:"state"`
	Reason provider.Reason `json:"reason"`
	Detail string          `json:"detail,omitempty"`
	Hint   string          `json:"hint,omitempty"`
	Since  time.Time       `json:"since"`
	Until  time.Time       `json:"until,omitzero"`
	After  Ending          `json:"after,omitzero"` // what came after it
	Times  int             `json:"times"`          // how often it began

	Due    time.Time      `json:"due,omitzero"`      // when to tell it; zero: it is not news
	Told   string         `json:"told,omitempty"`    // the id of the message about its beginning
	ToldAs provider.Topic `json:"told_as,omitempty"` // the topic of that message
	Heard  bool           `json:"heard,omitempty"`   // an earlier message about it, when it was not as bad, was accepted
}

// An Ending is what came after an episode.
type Ending struct {
	State  provider.State  `json:"state"`
	Reason provider.Reason `json:"reason"`
	Detail string          `json:"detail,omitempty"`
	Seq    uint64          `json:"seq"`
}

// A Message is a notice that the receiver has not accepted yet.
type Message struct {
	provider.Notice
	About []string  `json:"about"` // the subjects in it
	Made  time.Time `json:"made"`
	Dead  string    `json:"dead,omitempty"` // why it is not sent any more

	Saved string    `json:"-"` // its id in the saved book; empty: it is not saved
	Tries int       `json:"-"` // since the daemon started
	Next  time.Time `json:"-"` // earliest time of the next try
	Waits int       `json:"-"` // how often the wait was doubled
	Tried time.Time `json:"-"` // the first failure since the daemon started and since quiet hours
	Error string    `json:"-"` // of the last try
	Asked bool      `json:"-"` // somebody wants the next try now, also in quiet hours
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

// bound replaces times too far in the future, which appear when the clock is set
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

// message returns a message of the outbox and its index, which is -1 if there is none.
func (b *Book) message(id string) (*Message, int) {
	i := slices.IndexFunc(b.Outbox, func(m *Message) bool { return m.ID == id })
	if i < 0 {
		return nil, -1
	}
	return b.Outbox[i], i
}
