package page

import (
	"sync"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A pulse has the latencies of the last probes that any view has shown. It stands in for the
// medians of hours if those are unknown or are not read.
type pulse struct {
	mu   sync.Mutex
	seen map[string]*samples
}

// samples are the latencies of one provider, the oldest first.
type samples struct {
	at time.Time // of the last probe
	ms []float64
}

const mostSamples = 24

// note takes the rows of a reply, and forgets providers that are gone.
func (p *pulse) note(rows []provider.Status) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil || len(p.seen) > 2*len(rows) {
		p.seen = make(map[string]*samples, len(rows))
	}
	for i := range rows {
		s := &rows[i]
		known := p.seen[s.ID]
		switch {
		case s.CheckedAt.IsZero() || s.LatencyMS <= 0:
			continue
		case known == nil:
			known = &samples{}
			p.seen[s.ID] = known
		case !s.CheckedAt.After(known.at):
			continue
		}
		known.at = s.CheckedAt.Time
		if len(known.ms) == mostSamples {
			copy(known.ms, known.ms[1:])
			known.ms = known.ms[:mostSamples-1]
		}
		known.ms = append(known.ms, s.LatencyMS)
	}
}

// of is the line of a provider, empty if fewer than two probes were seen.
func (p *pulse) of(id string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.seen[id]; known != nil {
		return sparkOf(known.ms)
	}
	return ""
}
