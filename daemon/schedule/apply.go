package schedule

import (
	"fmt"
	"maps"
	"reflect"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/daemon/outage"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// sweepStep spreads the first probes. All at once would be a burst of connections; with this
// gap nobody has to wait noticeably.
const sweepStep = 5 * time.Millisecond

// Changes is what Apply did.
type Changes struct {
	Added, Removed, Changed []string
	Unchanged               int
}

// Apply makes list the providers from now on. A provider whose settings did not change keeps
// its row, its schedule and its probe in flight. On an error nothing has changed.
// Rows of new providers start from what the store restored.
func (s *Scheduler) Apply(list []config.Provider) (Changes, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	anew, err := s.prepare(list)
	if err != nil {
		return Changes{}, err
	}
	now := time.Now()
	step := spread(list)
	firstTime := s.order == nil
	var restored map[string]provider.Status // what was known before this process began
	if firstTime {
		restored = s.o.Store.Restored()
	}

	var c Changes
	order := make([]string, 0, len(list))
	entries := make(map[string]*entry, len(list))
	fresh := map[string]store.Update{}
	kinds := make(map[string]*latencies)
	maps.Copy(kinds, s.counted.Load().kinds)
	for i := range list {
		p := &list[i]
		order = append(order, p.ID)
		e := s.entries[p.ID]
		switch {
		case e == nil:
			c.Added = append(c.Added, p.ID)
			e = newEntry(anew[p.ID], restored)
			s.beginLatencies(e)
			e.sweeping = firstTime && !e.known.row.RetryAt.After(now)
			fresh[p.ID] = e.update(s.begun(e, now))
			e.due = now.Add(step * time.Duration(len(c.Added)-1))
			if retry := e.known.row.RetryAt.Time; retry.After(e.due) {
				e.due = anchored(retry, now) // the provider asked for it before a restart, and it still holds
			}
		case anew[p.ID].prober == nil:
			c.Unchanged++
		default:
			c.Changed = append(c.Changed, p.ID)
			if other, event := s.replace(e, anew[p.ID], now); other {
				fresh[p.ID] = e.update(new(e.known.record()), event)
			}
		}
		if kinds[p.Kind] == nil {
			kinds[p.Kind] = new(latencies)
		}
		e.kindLatency = kinds[p.Kind]
		e.position = uint32(i)
		entries[p.ID] = e
	}
	for _, id := range s.order {
		if entries[id] == nil {
			c.Removed = append(c.Removed, id)
			fresh[id] = store.Update{Event: s.remove(s.entries[id], now)}
		}
	}
	s.entries, s.order = entries, order
	s.ports = s.entriesAtPorts()
	s.counted.Store(&Counted{entries, kinds})
	s.configureStore(order, fresh)
	if firstTime {
		s.resumeOutage(now)
	}
	if s.machine.Out() && !s.someRemote() { // it no longer concerns any provider
		s.regain("no remote provider is configured", now, now)
	}
	s.queueNew(c, now, firstTime)
	return c, nil
}

// configureStore passes the current providers to the store, and takes over the rows that it
// makes for new ones.
func (s *Scheduler) configureStore(order []string, fresh map[string]store.Update) {
	s.o.Store.Configure(order, fresh)
	view := s.o.Store.View()
	for id := range fresh {
		if e, row := s.entries[id], view.Row(id); e != nil && row != nil {
			e.known.row = &row.Status
		}
	}
}

// A configured provider is its settings, and the prober that was made for them and shares
// them. They are a copy, so that the large list they came in can be freed.
type configured struct {
	cfg    *config.Provider
	prober Prober
}

// Providers returns the settings of all providers, in their order. They are read-only.
func (s *Scheduler) Providers() []*config.Provider {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*config.Provider, len(s.order))
	for i, id := range s.order {
		all[i] = s.entries[id].cfg
	}
	return all
}

// prepare makes a prober for each new or changed provider.
func (s *Scheduler) prepare(list []config.Provider) (map[string]configured, error) {
	all := make(map[string]configured)
	for i := range list {
		if e := s.entries[list[i].ID]; e != nil && reflect.DeepEqual(*e.cfg, list[i]) {
			continue
		}
		p := list[i]
		prober, err := s.o.NewProber(&p)
		if err != nil {
			for _, made := range all {
				made.prober.Close()
			}
			return nil, fmt.Errorf("provider %s: %w", p.ID, err)
		}
		all[p.ID] = configured{&p, prober}
	}
	return all, nil
}

// spread is the time between the first probes of two providers.
func spread(list []config.Provider) time.Duration {
	step := sweepStep
	for i := range list {
		step = min(step, list[i].Interval/time.Duration(len(list)))
	}
	return step
}

// newEntry makes an entry that starts from what was known of its provider, if anything.
func newEntry(to configured, restored map[string]provider.Status) *entry {
	e := &entry{index: -1}
	e.configure(to)
	var was *provider.Status
	if st, ok := restored[to.cfg.ID]; ok {
		was = &st
	}
	e.known.keep(new(judge.Initial(to.cfg, was)), nil)
	return e
}

// configure gives an entry its settings.
func (e *entry) configure(to configured) {
	e.configured, e.host = to, outage.HostOf(to.cfg)
}

// replace gives an entry new settings. What is known of it stays, unless it is another server
// now: then its row starts from scratch, with an event that says so.
func (s *Scheduler) replace(e *entry, to configured, now time.Time) (anew bool, event *provider.Event) {
	p := to.cfg
	anew = p.Kind != e.cfg.Kind || p.BaseURL != e.cfg.BaseURL
	rec := e.known.record()
	if anew || p.Key != e.cfg.Key {
		s.unshare(e)
	}
	if p.Key != e.cfg.Key {
		// It asked another key to wait, not this one.
		rec = judge.ForgetKey(rec)
	}
	otherFeed := !reflect.DeepEqual(p.Feed, e.cfg.Feed)
	s.release(e)
	e.configure(to)
	e.epoch++
	if !anew {
		var heard *provider.Event
		if otherFeed { // the old feed is no longer read
			rec, heard = judge.ApplyVendorStatus(rec, nil, p, now)
			e.note(nil, &rec)
		}
		rec.Status.TTLMS, rec.Status.Unasked = timeToLive(&rec, p, now).Milliseconds(), p.Unasked()
		s.put(e, &rec, heard)
		return false, nil
	}
	rec, event = judge.Moved(rec, p, !otherFeed, now)
	e.diagnostics, e.began, e.free, e.hears = nil, 0, 0, 0
	s.endVigil(e)
	if otherFeed { // otherwise what is known would not be reported again
		e.feed = nil
	}
	s.beginLatencies(e)
	e.witness = outage.Witness{}
	e.known.keep(&rec, nil)
	s.logEvent(e, event)
	return true, event
}

// remove ends an entry and returns its last event.
func (s *Scheduler) remove(e *entry, now time.Time) *provider.Event {
	e.removed = true
	s.watchLimits(e)
	s.unshare(e)
	s.endVigil(e)
	s.queue.drop(e)
	s.await(e, false)
	s.release(e)
	s.sweepOne(e)
	event := judge.End(e.known.record(), "removed from the configuration", now)
	s.logEvent(e, event)
	return event
}

// release drops an entry's prober; a probe in flight closes it when it completes.
func (s *Scheduler) release(e *entry) {
	if e.probe != nil {
		e.probe.cancel()
		return
	}
	e.prober.Close()
}

// queueNew queues what Apply added, and probes at once what it changed.
func (s *Scheduler) queueNew(c Changes, now time.Time, firstTime bool) {
	for _, id := range c.Added {
		e := s.entries[id]
		if e.known.row.Paused {
			e.sweeping = false
			continue
		}
		s.queue.put(e)
		if e.sweeping {
			s.unswept++
		}
	}
	if firstTime && s.unswept == 0 {
		close(s.swept)
	}
	for _, id := range c.Changed {
		if e := s.entries[id]; !e.known.row.Paused {
			s.askInTime(e, now)
		}
	}
	s.nudge()
}
