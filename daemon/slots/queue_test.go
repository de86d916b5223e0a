package slots_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/slots"
)

func open() bool { return true }

// line has tickets by name; the first letter of a name is the user.
type line struct {
	t       *testing.T
	queue   *slots.Queue
	tickets map[string]*slots.Ticket
	now     time.Time
}

func newLine(t *testing.T, l slots.Limit) *line {
	return &line{t, slots.New(l), map[string]*slots.Ticket{}, time.Unix(1, 0)}
}

func (l *line) enter(names string) {
	l.t.Helper()
	for name := range strings.FieldsSeq(names) {
		ticket, err := l.queue.Enter(slots.User{UID: uint32(name[0]), Known: true})
		if err != nil {
			l.t.Fatal(err)
		}
		l.tickets[name] = ticket
	}
}

// grants checks who has a slot after the next grant.
func (l *line) grants(names string) {
	l.t.Helper()
	l.queue.Grant(l.now, open)
	holders := map[string]bool{}
	for name := range strings.FieldsSeq(names) {
		holders[name] = true
	}
	for name, ticket := range l.tickets {
		if got := ticket.Slot() > 0; got != holders[name] {
			l.t.Errorf("%s has a slot: %t, want %s", name, got, names)
		}
	}
	if n := l.queue.Counts().Used; n != len(holders) {
		l.t.Errorf("%d used, want %s", n, names)
	}
}

func (l *line) leave(name string) {
	l.tickets[name].Leave()
	l.tickets[name].Leave() // nothing more
	delete(l.tickets, name)
}

func TestQueue_UsersTakeTurns(t *testing.T) {
	l := newLine(t, slots.Limit{Slots: 1})
	l.enter("a1 a2 a3 b1 c1 b2")
	l.grants("a1")
	last := "a1"
	for _, next := range []string{"b1", "c1", "a2", "b2", "a3"} {
		l.leave(last)
		l.grants(next)
		last = next
	}
}

// Whoever got a slot at once has had a turn too, and so has one who comes back.
func TestQueue_TheUserServedLongestAgoIsNext(t *testing.T) {
	l := newLine(t, slots.Limit{Slots: 1})
	last := ""
	serve := func(name string) {
		t.Helper()
		if last != "" {
			l.leave(last)
		}
		l.grants(name)
		last = name
	}
	l.enter("a1")
	serve("a1")
	l.enter("a2 a3 b1 c1")
	serve("b1")
	l.enter("b2 d1")
	serve("c1")
	serve("d1")
	serve("a2")
	l.enter("c2")
	serve("b2")
	serve("c2")
	serve("a3")
	l.leave("a3")
	if got := l.queue.Standing(); got.Holders != nil || got.Waiters != nil {
		t.Errorf("%+v", got)
	}
}

func TestQueue_Standing(t *testing.T) {
	l := newLine(t, slots.Limit{Slots: 2})
	l.enter("a1 b1 a2 c1 a3")
	l.grants("a1 b1")
	began := l.now
	l.now = l.now.Add(time.Minute)
	l.leave("a1")
	l.grants("b1 c1") // c was never served
	user := func(name byte) slots.User { return slots.User{UID: uint32(name), Known: true} }
	want := slots.Standing{
		Holders: []slots.Holder{{Slot: 1, User: user('c'), Since: l.now}, {Slot: 2, User: user('b'), Since: began}},
		Waiters: []slots.Waiter{{User: user('a'), Count: 2}},
	}
	if diff := cmp.Diff(want, l.queue.Standing()); diff != "" {
		t.Error(diff)
	}
}

func TestQueue_WhoLeavesLosesNobodysTurn(t *testing.T) {
	l := newLine(t, slots.Limit{Slots: 1})
	l.enter("a1 a2 b1 b2 c1")
	l.grants("a1")
	l.leave("b1") // b2 has its turn
	l.leave("a1")
	l.grants("b2")
	l.leave("a2")
	l.leave("b2")
	l.grants("c1")
	l.leave("c1")
	if got := l.queue.Counts(); got != (slots.Counts{}) {
		t.Errorf("%+v", got)
	}
	l.enter("a4")
	l.grants("a4")
}

func TestQueue_GapBetweenStarts(t *testing.T) {
	l := newLine(t, slots.Limit{Slots: 3, Gap: time.Second})
	l.enter("a1 a2 a3")
	if wait := l.queue.Grant(l.now, open); wait != time.Second {
		t.Errorf("wait %v", wait)
	}
	l.grants("a1")
	l.now = l.now.Add(999 * time.Millisecond)
	l.grants("a1")
	l.now = l.now.Add(time.Millisecond)
	l.grants("a1 a2")
	l.leave("a1") // which does not shorten the gap
	l.grants("a2")
	l.now = l.now.Add(time.Hour)
	l.grants("a2 a3")
}

func TestQueue_ClosedGivesNothing(t *testing.T) {
	l := newLine(t, slots.Limit{Slots: 3})
	l.enter("a1")
	l.queue.Grant(l.now, func() bool { return false })
	if l.tickets["a1"].Slot() != 0 {
		t.Error("a slot of a closed provider")
	}
	l.grants("a1")
}

func TestQueue_LimitChanges(t *testing.T) {
	l := newLine(t, slots.Limit{Slots: 3})
	l.enter("a1 a2 a3 a4")
	l.grants("a1 a2 a3")
	changed := l.queue.Changed()
	l.queue.SetLimit(slots.Limit{Slots: 1})
	select {
	case <-changed:
	default:
		t.Error("nobody hears of the new limit")
	}
	l.leave("a1")
	l.leave("a2")
	l.grants("a3")
	l.leave("a3")
	l.grants("a4")
	if got := l.tickets["a4"].Slot(); got != 1 {
		t.Errorf("slot %d", got)
	}
}

func TestQueue_BoundsWhoWaits(t *testing.T) {
	q := slots.New(slots.Limit{Slots: 1})
	of := func(uid uint32) (err error) { _, err = q.Enter(slots.User{UID: uid, Known: true}); return err }
	for range slots.MostWaitingPerUser {
		if err := of(1); err != nil {
			t.Fatal(err)
		}
	}
	if err := of(1); !errors.Is(err, slots.ErrFull) {
		t.Errorf("one more of the user: %v", err)
	}
	for i := range slots.MostWaiting - slots.MostWaitingPerUser {
		if err := of(uint32(2 + i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := of(9999); !errors.Is(err, slots.ErrFull) {
		t.Errorf("one more: %v", err)
	}
}
