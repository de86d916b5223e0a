package feed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// A source is one polled feed, with its last reading.
type source struct {
	poller *Poller
	url    string
	format string
	end    context.CancelFunc
	wake   chan struct{} // the followers have changed; buffers one

	mu        sync.Mutex
	followers map[string]config.Feed // by the provider's id

	// The following belong to the running goroutine.
	since    time.Time // when it began
	page     *page     // nil until it was read
	readAt   time.Time
	validate http.Header // the headers of a conditional request
	failures int
	step     provider.FeedStep // of the last poll
	lacking  map[string]string // by the provider's id: the components that were last missing
}

// run polls until ctx ends.
func (s *source) run(ctx context.Context) {
	s.since = time.Now()
	wait := time.Duration(s.poller.o.Random() * float64(firstSpread))
	due := s.since.Add(wait)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-s.wake:
			if !s.step.PolledAt.IsZero() {
				s.tell()
			}
			continue
		case <-ctx.Done():
			return
		}
		if !time.Now().Before(due) {
			due = s.poll(ctx)
			if ctx.Err() != nil {
				return
			}
		}
		s.tell()
		next := time.Until(due)
		if gone := time.Until(s.expires()); gone > 0 {
			next = min(next, gone) // a long Retry-After may outlast the reading
		}
		timer.Reset(next)
	}
}

// expires is when the last reading no longer counts. Before the first reading, that is so
// for what is in the database.
func (s *source) expires() time.Time {
	if s.page == nil {
		return s.since.Add(lasts)
	}
	return s.readAt.Add(lasts)
}

// poll fetches once, and returns when to poll again.
func (s *source) poll(ctx context.Context) (due time.Time) {
	began := time.Now()
	a := s.poller.fetch(ctx, s.url, s.validate)
	err := s.take(a, began)
	now := time.Now()
	if err == nil {
		s.failures = 0
	} else {
		s.failures++
		if s.failures == 1 && ctx.Err() == nil {
			s.poller.log.Warn("cannot read a vendor's status feed", "url", s.url, "error", err)
		}
	}
	due = now.Add(max(s.pace(), min(a.rest, longestRest)))
	s.step = provider.FeedStep{
		URL: s.url, Format: s.format, Status: a.status,
		PolledAt: provider.Time{Time: began}, ReadAt: provider.Time{Time: s.readAt},
		NextPollAt: provider.Time{Time: due},
		TookMS:     provider.Milliseconds(now.Sub(began)),
	}
	if err != nil {
		s.step.Error = line(err.Error(), maxName)
	}
	s.poller.log.Debug("polled a status feed", "url", s.url, "status", a.status, "took", now.Sub(began), "error", err)
	return due
}

// pace is the wait until the next poll, with 10 % jitter.
func (s *source) pace() time.Duration {
	wait := interval
	if s.failures > 0 {
		wait = soonest
		for n := 1; n < s.failures && wait < slowest; n++ {
			wait *= 2
		}
	}
	wait += time.Duration((2*s.poller.o.Random() - 1) * float64(wait) / 10)
	return max(soonest, min(wait, slowest))
}

// take reads an answer. An invalid one leaves the last reading.
func (s *source) take(a answer, began time.Time) error {
	switch {
	case a.err != nil:
		return a.err
	case a.status == http.StatusNotModified && s.page != nil:
		s.readAt = began
		return nil
	case a.status != http.StatusOK:
		return fmt.Errorf("it answers %d %s", a.status, http.StatusText(a.status))
	case len(a.body) == 0:
		return errors.New("the answer is empty")
	}
	p, err := parse(s.format, a.body)
	if err != nil {
		return err
	}
	s.page, s.readAt, s.validate = p, began, a.validate
	return nil
}

// tell tells every follower the news.
func (s *source) tell() {
	s.mu.Lock()
	followers := s.followers
	s.mu.Unlock()
	holds := time.Now().Before(s.expires())
	known := holds && s.page != nil
	for id, f := range followers {
		n := News{Step: s.step, Known: known, Early: holds && !known, Reading: Reading{Impact: provider.ImpactUnknown}}
		if known {
			n.Reading = s.page.read(f.Components, homeOf(s.url))
		}
		n.Step.Impact = n.Reading.Impact
		n.Step.Components, n.Step.Missing = n.Reading.Components, n.Reading.Missing
		n.Step.Unassigned = n.Reading.Unassigned
		s.warnOfMissing(id, n.Reading.Missing)
		s.poller.o.Tell(id, n)
	}
}

// warnOfMissing logs once that a feed lacks a component: the vendor may have renamed it, and
// nothing is known until somebody configures the new name.
func (s *source) warnOfMissing(id string, missing []string) {
	now := strings.Join(missing, ", ")
	if s.lacking[id] == now {
		return
	}
	if s.lacking == nil {
		s.lacking = map[string]string{}
	}
	s.lacking[id] = now
	if now != "" {
		s.poller.log.Warn("a vendor's status feed lacks a provider's component", "id", id, "url", s.url, "component", now)
	}
}
