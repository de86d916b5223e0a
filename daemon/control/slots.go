package control

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/providerd/providerd/daemon/slots"
	"github.com/providerd/providerd/daemon/socket"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// slotQueues has the queue of each provider with slots. The zero value is ready to use.
type slotQueues struct {
	mu   sync.Mutex
	byID map[string]*slots.Queue
}

// SetSlots changes the limits of all providers from now on; a provider that is not in limits
// has no slots. Nobody loses a slot by it.
func (s *Server) SetSlots(limits map[string]slots.Limit) {
	qs := &s.slots
	qs.mu.Lock()
	defer qs.mu.Unlock()
	if qs.byID == nil {
		qs.byID = make(map[string]*slots.Queue)
	}
	for id, q := range qs.byID {
		q.SetLimit(limits[id])
		if limits[id].Slots == 0 && q.Counts() == (slots.Counts{}) {
			delete(qs.byID, id)
		}
	}
	for id, l := range limits {
		if qs.byID[id] == nil {
			qs.byID[id] = slots.New(l)
		}
	}
}

// of returns the queue of a provider, and its limit; an error if it has no slots.
func (qs *slotQueues) of(id string) (*slots.Queue, slots.Limit, *provider.Error) {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	if q := qs.byID[id]; q != nil {
		if l := q.Limit(); l.Slots > 0 {
			return q, l, nil
		}
	}
	return nil, slots.Limit{}, provider.Errorf(provider.NoSlots,
		"write slots = 4 in its [[provider]], then: providerctl reload", "%s has no slots in the configuration", id)
}

// counts is how many slots are used of all providers, and how many callers wait.
func (qs *slotQueues) counts() (all slots.Counts) {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	for _, q := range qs.byID {
		c := q.Counts()
		all.Used += c.Used
		all.Waiting += c.Waiting
	}
	return all
}

// slotsOf answers GET /api/providers/{id}/slots.
func (s *Server) slotsOf(c *call) *provider.Error {
	q, limit, wrong := s.slots.of(c.id)
	if wrong != nil {
		return wrong
	}
	reply := slotsReply(c.id, q.Counts(), limit, s.store.View().Row(c.id), time.Now())
	standing := q.Standing()
	for _, h := range standing.Holders {
		reply.Holders = append(reply.Holders, provider.SlotHolder{Slot: h.Slot, By: slotUser(h.User), Since: provider.Time{Time: h.Since}})
	}
	for _, w := range standing.Waiters {
		reply.Waiters = append(reply.Waiters, provider.SlotWaiter{By: slotUser(w.User), Waiting: w.Count})
	}
	s.writeJSON(c, http.StatusOK, reply)
	return nil
}

// slotUser names a user for people.
func slotUser(u slots.User) string {
	return socket.Peer{UID: u.UID, Known: u.Known, AnyUser: u.Foreign}.String()
}

// slotsReply is how the slots of a provider stand.
func slotsReply(id string, counts slots.Counts, limit slots.Limit, row *store.Row, now time.Time) provider.SlotsReply {
	reply := provider.SlotsReply{
		ProviderID: id, Total: limit.Slots, GapMS: limit.Gap.Milliseconds(),
		Used: counts.Used, Free: max(0, limit.Slots-counts.Used), Waiting: counts.Waiting,
	}
	why, retryAt := slotsClosed(row, now)
	if reply.Closed = why; why != "" {
		reply.Free = 0
	}
	if !retryAt.IsZero() {
		reply.RetryAt = &provider.Time{Time: retryAt}
	}
	return reply
}

// allSlots is how the slots of the providers with the ids stand, or of all, by the ids.
func (s *Server) allSlots(ids []string) (all []provider.SlotsReply) {
	now, view := time.Now(), s.store.View()
	s.slots.mu.Lock()
	defer s.slots.mu.Unlock()
	for id, q := range s.slots.byID {
		limit, row := q.Limit(), view.Row(id)
		if limit.Slots > 0 && row != nil && (ids == nil || slices.Contains(ids, id)) {
			all = append(all, slotsReply(id, q.Counts(), limit, row, now))
		}
	}
	slices.SortFunc(all, func(a, b provider.SlotsReply) int { return strings.Compare(a.ProviderID, b.ProviderID) })
	return all
}

// slotsClosed says why nobody may begin to use a provider now; empty: they may. If only time
// stands in the way, retryAt is when that changes.
func slotsClosed(row *store.Row, now time.Time) (why string, retryAt time.Time) {
	if row == nil {
		return "it is no longer configured", time.Time{}
	}
	st := &row.Status
	switch {
	case st.Paused:
		return "it is paused", time.Time{}
	case st.RetryAt.After(now):
		return "it is limited until " + st.RetryAt.UTC().Format(time.RFC3339), st.RetryAt.Time
	case row.Stale(now):
		return "what is known of it is stale", time.Time{}
	case st.State != provider.StateRunning && st.State != provider.StateDegraded:
		return fmt.Sprintf("it is %s (%s)", st.State, st.Reason), time.Time{}
	}
	return "", time.Time{}
}

// takeProviderSlot answers POST /api/providers/{id}/slots.
func (s *Server) takeProviderSlot(c *call) *provider.Error {
	q, _, wrong := s.slots.of(c.id)
	if wrong != nil {
		return wrong
	}
	began := time.Now()
	ticket, err := q.Enter(slots.User{UID: c.conn.peer.UID, Known: c.conn.peer.Known, Foreign: c.conn.peer.AnyUser})
	if err != nil {
		return provider.Errorf(provider.TooMany, "try again later", "too many wait for a slot of %s", c.id)
	}
	defer ticket.Leave()
	wait := time.Duration(0)
	if c.query.wait != nil {
		wait = *c.query.wait
	}
	if wrong := s.awaitSlot(c, q, ticket, wait); wrong != nil {
		s.extendReply(c)
		return wrong
	}
	s.holdSlot(c, provider.Slot{
		ProviderID: c.id, Slot: ticket.Slot(), Total: q.Limit().Slots, WaitedMS: time.Since(began).Milliseconds(),
	})
	return nil
}

// awaitSlot waits until the ticket has a slot.
func (s *Server) awaitSlot(c *call, q *slots.Queue, ticket *slots.Ticket, wait time.Duration) *provider.Error {
	c.conn.freeSlot()
	defer c.conn.takeSlot()
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for {
		changed, free := s.store.Changed(c.id), q.Changed() // taken before reading, so that no change is missed
		if _, _, wrong := s.slots.of(c.id); wrong != nil {
			return wrong
		}
		again := time.NewTimer(s.grant(c.id, q))
		select {
		case <-ticket.Granted():
			again.Stop()
			return nil
		default:
		}
		if wait == 0 {
			again.Stop()
			return s.noSlot(c, q, wait)
		}
		select {
		case <-ticket.Granted():
		case <-changed:
		case <-free:
		case <-again.C:
		case <-c.r.Context().Done():
			return s.noSlot(c, q, wait) // nobody reads it
		case <-s.stopping:
			return shuttingDown()
		case <-timeout.C:
			return s.noSlot(c, q, wait)
		}
		again.Stop()
	}
}

// grantAgain is when those who wait look again at the latest. A row can become stale, or
// young again, without a change.
const grantAgain = 5 * time.Second

// grant gives the free slots of a provider to those whose turn it is, and returns when to
// look again.
func (s *Server) grant(id string, q *slots.Queue) time.Duration {
	now := time.Now()
	var until time.Time
	gap := q.Grant(now, func() bool {
		why, retryAt := slotsClosed(s.store.View().Row(id), now)
		until = retryAt
		return why == ""
	})
	if until.After(now) {
		gap = until.Sub(now)
	}
	return min(cmp.Or(gap, grantAgain), grantAgain)
}

// noSlot says why a caller got no slot.
func (s *Server) noSlot(c *call, q *slots.Queue, waited time.Duration) *provider.Error {
	code, hint := provider.TooMany, "wait for one: ?wait=30s, or providerctl slot "+c.id+" --wait 30s -- CMD"
	if waited > 0 {
		code, hint = provider.TimedOut, "wait longer, or see: providerctl slot "+c.id
	}
	if why, _ := slotsClosed(s.store.View().Row(c.id), time.Now()); why != "" {
		return provider.Errorf(code, "see: providerctl status "+c.id, "no slot of %s is given: %s", c.id, why)
	}
	limit, counts := q.Limit(), q.Counts()
	if counts.Used < limit.Slots {
		return provider.Errorf(code, hint, "no slot of %s is given yet: %d callers wait, one begins every %v", c.id, counts.Waiting, limit.Gap)
	}
	return provider.Errorf(code, hint, "all %d slots of %s are used, and %d callers wait", limit.Slots, c.id, counts.Waiting)
}

// holdSlot sends the slot, and returns when the client has gone. From here on the connection
// is not net/http's, which stops reading once the client has sent a byte, and then does not
// notice its end.
func (s *Server) holdSlot(c *call, slot provider.Slot) {
	st := s.openStream(c)
	defer st.close()
	if st.add(slot) != nil || st.flush() != nil {
		return
	}
	s.log.Debug("a slot is held", append(c.conn.peer.LogArgs(), "provider", c.id, "slot", slot.Slot)...)
	nc, early, err := st.rc.Hijack()
	if err != nil {
		s.log.Error("cannot take over a connection", "error", err)
		return
	}
	defer s.hijacked(c.conn)
	if early.Reader.Buffered() > 0 {
		return
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		c.conn.Conn.Conn.Read(make([]byte, 1)) // anything at all ends it
	}()
	select {
	case <-gone:
		return
	case <-c.r.Context().Done():
	case <-s.stopping:
		c.conn.SetWriteDeadline(time.Now().Add(partingTime))
		nc.Write(lastChunk(endShuttingDown))
	}
	c.conn.SetReadDeadline(time.Now())
	<-gone
}

// lastChunk is the last line of a stream, and its end, as net/http would send them.
func lastChunk(reason string) []byte {
	line, err := encode(nil, provider.StreamNote{Type: provider.NoteEnd, Reason: reason})
	if err != nil {
		return nil
	}
	return fmt.Appendf(nil, "%x\r\n%s\r\n0\r\n\r\n", len(line), line)
}

// hijacked ends a connection that net/http no longer knows.
func (s *Server) hijacked(c *conn) {
	c.Close()
	s.replied(c)
	s.conns.add(-1)
}
