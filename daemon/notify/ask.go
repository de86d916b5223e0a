package notify

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/notify/book"
	"github.com/providerd/providerd/store/provider"
)

// List returns every sink with its messages that wait or are dead.
func (e *Engine) List() provider.NotifyReply {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	reply := provider.NotifyReply{Sinks: []provider.NotifySink{}, Maintenance: e.upkeep.now(now)}
	for _, o := range e.outlets {
		reply.Sinks = append(reply.Sinks, o.list(now))
	}
	return reply
}

func (o *outlet) list(now time.Time) provider.NotifySink {
	b := o.book
	s := provider.NotifySink{
		ID: o.Settings.Sink, Kind: o.Kind, Sent: b.Sent, Refused: b.Refused, SentAt: provider.Time{Time: b.SentAt},
		Open: []string{}, Messages: []provider.NotifyMessage{},
	}
	s.QuietUntil = provider.Time{Time: o.quiet(now)}
	for id, sub := range b.Subjects {
		if sub.Episode != nil && b.Arrived(sub.Episode.Told) {
			s.Open = append(s.Open, id)
		}
	}
	slices.Sort(s.Open)
	for _, m := range b.Outbox {
		shown := provider.NotifyMessage{
			ID: m.ID, Type: m.Type, About: m.About, MadeAt: provider.Time{Time: m.Made}, Tries: m.Tries,
			Error: m.Error, NextAt: o.next(m), Dead: m.Dead,
		}
		if m.Dead != "" {
			s.Dead++
			shown.NextAt = provider.Time{}
		} else if s.Waiting++; s.Oldest.IsZero() || m.Made.Before(s.Oldest.Time) {
			s.Oldest = shown.MadeAt
		}
		if m.Error != "" {
			s.LastError = m.Error
		}
		s.Messages = append(s.Messages, shown)
	}
	if o.Fault != nil {
		s.LastError = o.Fault.Error()
	}
	return s
}

// next is when a message is tried next, as far as that is known.
func (o *outlet) next(m *book.Message) provider.Time {
	if o.later.After(m.Next) {
		return provider.Time{Time: o.later}
	}
	return provider.Time{Time: m.Next}
}

// Test delivers a notice of type test, outside the order and the limits of the others, and
// returns what the receiver said. It does not wait for the disk.
func (e *Engine) Test(ctx context.Context, id string) error {
	e.mu.Lock()
	o, err := e.outlet(id)
	if err != nil {
		e.mu.Unlock()
		return err
	}
	deliver, host := o.Sink, o.Settings.Host
	e.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, deliverWithin)
	defer cancel()
	n := &provider.Notice{
		ID: "msg_test_" + strings.ToLower(rand.Text()[:16]), Type: provider.NoticeTest, Host: host,
		Detail: "a test of the notifications of providerd", Since: provider.Time{Time: time.Now()},
	}
	if err := deliver.Deliver(ctx, n); err != nil {
		return provider.Errorf(provider.Undelivered, "correct [[notify]] "+id+" in the configuration, then: providerctl reload", "%s: %v", id, err)
	}
	return nil
}

// Retry sends these messages of a sink now, dead or not; without messages, all of them.
func (e *Engine) Retry(id string, messages []string) (n int, err error) {
	return e.change(id, messages, func(b *book.Book, m *book.Message, now time.Time) bool {
		if m.Dead != "" && !b.Retry(m.ID, now) {
			return false
		}
		m.Next, m.Asked = time.Time{}, true
		return true
	})
}

// Drop removes these messages of a sink; without messages, all dead ones.
func (e *Engine) Drop(id string, messages []string) (n int, err error) {
	return e.change(id, messages, func(b *book.Book, m *book.Message, _ time.Time) bool {
		return (m.Dead != "" || len(messages) > 0) && b.Drop(m.ID)
	})
}

func (e *Engine) change(id string, messages []string, do func(*book.Book, *book.Message, time.Time) bool) (n int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	o, err := e.outlet(id)
	if err != nil {
		return 0, err
	}
	for _, wanted := range messages {
		if !slices.ContainsFunc(o.book.Outbox, func(m *book.Message) bool { return m.ID == wanted }) {
			return 0, provider.Errorf(provider.UnknownMessage, "see which there are: providerctl notify list", "no message %q waits for %s", wanted, id)
		}
	}
	for _, m := range slices.Clone(o.book.Outbox) {
		if (len(messages) == 0 || slices.Contains(messages, m.ID)) && do(o.book, m, time.Now()) {
			n++
		}
	}
	if n > 0 {
		o.later = time.Time{}
		o.changes++
		e.nudge()
	}
	return n, nil
}

func (e *Engine) outlet(id string) (*outlet, error) {
	var ids []string
	for _, o := range e.outlets {
		if o.Settings.Sink == id {
			return o, nil
		}
		ids = append(ids, o.Settings.Sink)
	}
	hint := "the configuration has no [[notify]]: see docs/notifications.md"
	if len(ids) > 0 {
		hint = provider.DidYouMean(id, ids, "", "use one of: "+strings.Join(ids, ", "))
	}
	return nil, provider.Errorf(provider.UnknownSink, hint, "no such sink: %.40q", id)
}

// Maintain announces maintenance of providers until a time, and saves it. by is the announcer.
func (e *Engine) Maintain(ctx context.Context, ids []string, until time.Time, by string) error {
	e.mu.Lock()
	now := time.Now()
	for _, id := range ids {
		e.upkeep.add(provider.Maintenance{
			ID: id, Since: provider.Time{Time: now}, Until: provider.Time{Time: until}, By: by,
		}, now)
	}
	return e.keep(ctx)
}

// EndMaintenance ends the announced maintenance of providers, and saves that. It returns those
// that were in maintenance.
func (e *Engine) EndMaintenance(ctx context.Context, ids []string) (ended []string, err error) {
	e.mu.Lock()
	now := time.Now()
	for _, id := range ids {
		if e.upkeep.end(id, now) {
			ended = append(ended, id)
		}
	}
	return ended, e.keep(ctx)
}

// keep saves the maintenance. The caller holds mu, which it releases.
func (e *Engine) keep(ctx context.Context) error {
	e.standing.Store(nil)
	changes, text := e.upkeep.changes, e.upkeep.text()
	e.nudge()
	e.mu.Unlock()
	if err := e.o.Store.SaveNotes(ctx, map[string][]byte{upkeepKey: text}); err != nil {
		return fmt.Errorf("save the maintenance: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.upkeep.saved = max(e.upkeep.saved, changes)
	return nil
}

// InMaintenance returns when a provider's maintenance ends; zero: it is not in maintenance.
func (e *Engine) InMaintenance(id string) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.upkeep.until(id, time.Now())
}

// Plan sets the maintenance of the configuration.
func (e *Engine) Plan(planned func(id string, now time.Time) time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.upkeep.planned = planned
	e.standing.Store(nil)
	e.nudge()
}
