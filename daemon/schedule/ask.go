package schedule

import (
	"fmt"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/store/provider"
)

// Accepted is the result of a refresh. A row of Generation or later comes from a probe that
// began after the refresh was accepted.
type Accepted struct {
	Generation uint64
	IDs        []string // those that will be probed
	Skipped    []provider.Skipped
}

// Refresh asks for a probe of each provider that begins from now on; no ids means all. It
// does not wait. Unknown ids are ignored. A provider with a retry_at in the future is skipped
// unless force is set; a paused one always.
func (s *Scheduler) Refresh(ids []string, force bool) Accepted {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ids == nil {
		ids = s.order
	}
	return s.refresh(ids, force, false)
}

// Diagnose is a refresh of one provider whose probe makes a new connection, so that its
// evidence has every layer.
func (s *Scheduler) Diagnose(id string, force bool) Accepted {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refresh([]string{id}, force, true)
}

func (s *Scheduler) refresh(ids []string, force, fresh bool) Accepted {
	now := time.Now()
	command := "refresh"
	if fresh {
		command = "diagnose"
	}
	s.count.Refreshes++
	accepted := Accepted{Generation: s.o.Store.NextGeneration()}
	for _, id := range ids {
		e := s.entries[id]
		if e == nil {
			continue
		}
		if why := s.declined(e, now, force); why != "" {
			accepted.Skipped = append(accepted.Skipped, skipped(e.known.row, why, now, command))
			continue
		}
		e.known.Stirred = now
		s.inquire(e, want{facts: true, force: force, fresh: fresh}, accepted.Generation, now)
		accepted.IDs = append(accepted.IDs, id)
	}
	if len(accepted.IDs) == 0 {
		s.count.Idle++
	}
	s.log.Debug("invalidated providers", "count", len(accepted.IDs), "generation", accepted.Generation)
	return accepted
}

// Ensure asks for a probe of each provider whose row is older than maxAge. A probe in flight
// that began recently enough counts.
func (s *Scheduler) Ensure(ids []string, maxAge time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if ids == nil {
		ids = s.order
	}
	for _, id := range ids {
		e := s.entries[id]
		if e == nil || s.declined(e, now, false) != "" {
			continue
		}
		young := e.began != 0 && now.Sub(s.began(e)) <= maxAge || s.isAsked(e, now.Add(-maxAge))
		if young && e.probe == nil || e.isTold() && now.Sub(e.known.row.CheckedAt.Time) <= maxAge {
			continue
		}
		if !young || now.Sub(e.known.row.CheckedAt.Time) > maxAge { // otherwise what is known is good enough
			e.known.Stirred = now
		}
		if young {
			s.count.Coalesced++
			continue
		}
		if s.isElsewhere(e) {
			s.inquire(e, want{}, s.o.Store.NextGeneration(), now)
		} else {
			s.ask(e, want{}, now)
		}
	}
}

// ask makes sure that a probe begins from now on, with the wanted options.
func (s *Scheduler) ask(e *entry, w want, now time.Time) {
	e.want = e.want.and(w)
	if e.want.owed || e.waiting { // it has not begun yet
		s.count.Coalesced++
		return
	}
	e.want.owed = true
	if e.probe != nil {
		return // complete plans it
	}
	s.bringForward(e, s.soonest(e, now))
}

// askInTime asks on behalf of the daemon itself, which waits for any retry_at.
func (s *Scheduler) askInTime(e *entry, now time.Time) {
	e.want.facts = true
	if e.want.owed || e.waiting {
		return // a probe is owed already
	}
	if retry := e.known.row.RetryAt.Time; retry.After(now) && e.probe == nil {
		e.due = anchored(retry, now)
		s.queue.put(e)
		s.nudge()
		return
	}
	s.ask(e, want{}, now)
}

// declined says why a provider must not be probed now; empty if it may.
func (s *Scheduler) declined(e *entry, now time.Time, force bool) provider.Reason {
	st := e.known.row
	switch {
	case st.Paused:
		return provider.Paused
	case !force && e.known.Limited() && st.RetryAt.After(now):
		return provider.RateLimited
	}
	return ""
}

// skipped says the same for a caller, with a command of providerctl.
func skipped(st *provider.Status, why provider.Reason, now time.Time, command string) provider.Skipped {
	if why == provider.Paused {
		return provider.Skipped{ID: st.ID, Reason: why,
			Message: fmt.Sprintf("probing of %s is paused; resume it: providerctl resume %s", st.ID, st.ID)}
	}
	who := st.ID + " says"
	if st.Reported != nil && st.Reported.RetryAt.Equal(st.RetryAt.Time) {
		who = st.ID + " told a caller"
	}
	return provider.Skipped{ID: st.ID, Reason: why, RetryAt: st.RetryAt,
		Message: fmt.Sprintf("%s to wait another %s; probe it all the same: providerctl %s %s --force",
			who, inSeconds(st.RetryAt.Sub(now)), command, st.ID)}
}

// inSeconds shows a time to come in whole seconds, of which the last has begun: "2s", "10m".
func inSeconds(d time.Duration) string {
	text := (d + time.Second - 1).Truncate(time.Second).String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	return text
}

// unknown is the error about an id that a reload has just removed.
func unknown(id string) error {
	return provider.Errorf(provider.UnknownProvider, "list them: providerctl status", "no such provider: %s", id)
}

// SetPaused stops or resumes the probing of one provider. A probe in flight is cancelled, and
// its kept connection closed; a resumed provider is probed at once.
func (s *Scheduler) SetPaused(id string, paused bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[id]
	if e == nil {
		return unknown(id)
	}
	if e.known.row.Paused == paused {
		return nil
	}
	now := time.Now()
	rec, event := judge.ApplyPause(e.known.record(), paused, e.cfg, now)
	e.want.owed, e.news = false, false
	s.endVigil(e)
	if paused {
		s.queue.drop(e)
		s.await(e, false)
		rec.Status.NextCheckAt = provider.Time{}
		if e.probe != nil {
			e.probe.cancel() // complete parts
		} else {
			e.prober.Part()
		}
		s.sweepOne(e) // the sweep does not wait for a paused provider
	}
	if retry := rec.Status.RetryAt; !paused && retry.After(now) {
		rec.Status.NextCheckAt = retry
	}
	s.put(e, &rec, event)
	if !paused {
		s.askInTime(e, now)
	}
	return nil
}
