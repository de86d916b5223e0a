package book

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/providerd/providerd/store/provider"
)

// A world is a book with a log of events, a disk, and a receiver, any of which may fail.
type world struct {
	t   *rapid.T
	s   *Settings
	now time.Time

	log  []provider.Event // the event log, which is durable
	disk []byte           // the book as it was last saved
	b    *Book

	holds    map[string]provider.Topic // what is true of each subject
	received []provider.Notice         // each message once, in the order in which they first arrived
	text     map[string]string         // what each id said when it first arrived
	accepted map[string]bool           // those whose acceptance was saved
	refused  map[string]bool           // what the receiver refused for ever
	pending  []string                  // accepted, and not saved yet
}

func (w *world) save() {
	text, err := w.b.Text()
	if err != nil {
		w.t.Fatal(err)
	}
	w.disk = text
	for _, m := range w.b.Outbox {
		m.Saved = m.ID
	}
	for _, id := range w.pending {
		w.accepted[id] = true
	}
	w.pending = nil
}

func (w *world) crash() {
	b, err := Parse(w.disk)
	if err != nil {
		w.t.Fatal(err)
	}
	w.b, w.pending = b, nil
	for i := range w.log {
		if w.log[i].Seq > w.b.Cursor {
			w.b.Observe(&w.log[i], "", w.s)
		}
	}
}

func (w *world) event(id string, state provider.State, reason provider.Reason) {
	e := provider.Event{Seq: uint64(len(w.log) + 1), Time: provider.Time{Time: w.now}, ID: id, To: state, Reason: reason}
	w.log = append(w.log, e)
	w.b.Observe(&e, "", w.s)
	if topic := provider.TopicOf(state, reason); topic != "" {
		w.holds[id] = topic
	}
}

func (w *world) write() time.Time {
	next, _ := w.b.Write(w.s, w.now)
	return next
}

// deliver sends what is ready, as the engine does: only what is on the disk, though the rest of
// the book may not be.
func (w *world) deliver(fate func() int) {
	ready, _ := w.b.Ready(func(m *Message) bool { return m.Saved != m.ID }, w.now)
	for _, m := range ready {
		text, _ := json.Marshal(m.Notice)
		if w.accepted[m.ID] {
			w.t.Fatalf("sent again after its acceptance was saved: %s", text)
		}
		if was, ok := w.text[m.ID]; ok && was != string(text) {
			w.t.Fatalf("one id, two messages:\n%s\n%s", was, text)
		}
		how := fate()
		if how < 3 && w.text[m.ID] == "" { // it arrived
			w.text[m.ID] = string(text)
			w.received = append(w.received, m.Notice)
		}
		switch how {
		case 0, 1: // and said so
			w.b.Accepted(m.ID, w.now)
			w.pending = append(w.pending, m.ID)
		case 2, 3: // and was not heard, or did not arrive
			w.b.Failed(m.ID, "no answer", time.Time{}, w.now, 0.5)
		case 4:
			w.b.Reject(m.ID, "400")
			w.refused[m.ID] = true
		}
	}
}

// check looks at everything that arrived: what people believe at the end must be true, and
// whatever they were told began was told to be over.
func (w *world) check() {
	believed := map[string]bool{}
	tell := func(kind provider.NoticeType, id string) {
		switch kind {
		case provider.NoticeOpened:
			believed[id] = true
		case provider.NoticeClosed:
			if !believed[id] {
				w.t.Fatalf("the end of %s was told, and not its beginning: %+v", id, w.received)
			}
			believed[id] = false
		case provider.NoticeMerged:
			believed[id] = false
		}
	}
	for i := range w.received {
		n := &w.received[i]
		tell(n.Type, n.Provider)
		for _, id := range n.Closed {
			tell(provider.NoticeClosed, id)
		}
		for _, id := range n.Merged {
			tell(provider.NoticeMerged, id)
		}
		for _, id := range n.Opened {
			tell(provider.NoticeOpened, id)
		}
	}
	for id, topic := range w.holds {
		trouble := rank(topic) > 0 && w.s.on(topic)
		either := topic == provider.TopicLimited && !trouble // it was told of something worse before, or not
		if len(w.refused) == 0 && !either && id != provider.HostID && trouble != believed[id] {
			w.t.Fatalf("%s is %q, and people believe in trouble: %v\n%+v\n%s", id, topic, believed[id], w.received, w.disk)
		}
	}
}

// Whatever happens, and whenever the daemon is killed, people are told what began and what is
// over, in that order, and end up believing what is true.
func TestBook_WhateverHappens(t *testing.T) {
	states := []struct {
		state  provider.State
		reason provider.Reason
	}{
		{provider.StateRunning, provider.OK}, {provider.StateRunning, provider.OK}, {provider.StateRunning, provider.OK},
		{provider.StateStopped, provider.ConnectionRefused}, {provider.StateDegraded, provider.Hung},
		{provider.StateError, provider.Unauthorized}, {provider.StateDegraded, provider.RateLimited},
		{provider.StateDegraded, provider.VendorIncident}, {provider.StateStopped, provider.Paused},
		{provider.StateUnknown, provider.NotChecked},
	}
	ids := []string{"a", "b", "c", "d", "e", "f", "g"}
	rapid.Check(t, func(t *rapid.T) {
		s := defaults()
		s.Most = rapid.SampledFrom([]int{2, 20}).Draw(t, "most")
		if rapid.Bool().Draw(t, "quiet") {
			s.Quiet = between(at(60, 0), at(120, 0))
		}
		if rapid.Bool().Draw(t, "all") {
			s.On = provider.Topics[:]
		}
		refusing := rapid.IntRange(0, 3).Draw(t, "refusing") == 0
		w := &world{
			t: t, s: s, now: noon, holds: map[string]provider.Topic{}, text: map[string]string{},
			accepted: map[string]bool{}, refused: map[string]bool{},
		}
		var rows []Row
		for _, id := range ids {
			rows = append(rows, Row{ID: id, State: provider.StateRunning, Reason: provider.OK})
		}
		w.b = Begin(0, rows, s)
		w.save()
		fate := func() int {
			most := 3
			if refusing {
				most = 4
			}
			return rapid.IntRange(0, most).Draw(t, "fate")
		}
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "do") {
			case 0, 1, 2:
				st := rapid.SampledFrom(states).Draw(t, "state")
				w.event(rapid.SampledFrom(ids).Draw(t, "id"), st.state, st.reason)
			case 3:
				for _, id := range ids {
					w.event(id, provider.StateStopped, provider.ConnectionRefused)
				}
			case 4:
				w.event(provider.HostID, provider.StateUnknown, provider.Offline)
			case 5, 6:
				w.event(provider.HostID, provider.StateRunning, provider.OK)
			case 7:
				w.crash()
			case 8: // somebody sets the clock
				w.now = w.now.Add(time.Duration(rapid.IntRange(-7200, 7200).Draw(t, "set")) * time.Second)
			default:
			}
			w.write()
			if rapid.IntRange(0, 4).Draw(t, "disk") > 0 {
				w.save()
			}
			w.deliver(fate)
			if rapid.IntRange(0, 4).Draw(t, "disk again") > 0 {
				w.save()
			}
			w.now = w.now.Add(time.Duration(rapid.SampledFrom([]int{1, 3, 10, 60, 400, 2000}).Draw(t, "seconds")) * time.Second)
		}
		w.event(provider.HostID, provider.StateRunning, provider.OK)
		for range 2000 { // everything works again
			w.now = w.now.Add(30 * time.Second)
			w.write()
			w.save()
			w.deliver(func() int { return 0 })
			w.save()
			if len(w.b.Outbox) == 0 && w.rests() {
				break
			}
		}
		w.check()
		if live := slices.DeleteFunc(slices.Clone(w.b.Outbox), func(m *Message) bool { return m.Dead != "" }); len(live) > 0 {
			t.Fatalf("left in the outbox: %+v", live)
		}
	})
}

// rests reports whether nothing more will be told.
func (w *world) rests() bool {
	next, wrote := w.b.Write(w.s, w.now)
	return next.IsZero() && !wrote
}
