package page

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// A bucket is an hour or a day of a provider's history. Absent fields are unknown.
type bucket struct {
	Time          provider.Time              `json:"time"`
	KnownSeconds  float64                    `json:"known_seconds"`
	UsableSeconds float64                    `json:"usable_seconds"`
	StateSeconds  map[provider.State]float64 `json:"state_seconds"`
	P50           float64                    `json:"p50_ms"`
}

// A season is the history of one provider over a window.
type season struct {
	UptimeRatio *float64 `json:"uptime_ratio"`
	UsableRatio *float64 `json:"usable_ratio"`
	Buckets     []bucket `json:"buckets"`
	Probed      struct {
		P50 float64 `json:"p50_ms"`
		P95 float64 `json:"p95_ms"`
		P99 float64 `json:"p99_ms"`
	} `json:"probed"`
	Outages *struct {
		Count   int     `json:"count"`
		Longest float64 `json:"longest_seconds"`
		Between float64 `json:"mean_between_seconds"`
	} `json:"outages"`
}

// A record is a provider's entry in the history of all: for each step, the part of the known
// time in which it was up, the part in which it was usable, and the part of the step that is
// known.
type record struct {
	ID           string                     `json:"id"`
	UptimeRatio  *float64                   `json:"uptime_ratio"`
	StateSeconds map[provider.State]float64 `json:"state_seconds"`
	Up           []*float64                 `json:"up"`
	Usable       []*float64                 `json:"usable"`
	Known        []float64                  `json:"known"`

	buckets []bucket // the hours themselves, if there are few enough providers
}

// past reads histories. It keeps the one of all providers for a minute, so that in a storm of
// changes the daemon does not add up everybody's day again and again. A daemon without that
// route has no history, which is not an error.
type past struct {
	client *client.Client

	mu      sync.Mutex
	day     map[string]record // by provider
	learned time.Time
	kept    time.Duration
}

// How long the history of all providers is kept: briefly while nothing is known, as in the first
// seconds of a daemon.
const (
	pastKept  = time.Minute
	emptyKept = 3 * time.Second
)

// lastDay returns the records of the last 24 hours, by provider; empty if there are none.
func (p *past) lastDay(ctx context.Context) map[string]record {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); p.learned.IsZero() || now.Sub(p.learned) > p.kept {
		var reply struct {
			Providers []record `json:"providers"`
		}
		err := p.get(ctx, "/api/history?window=24h&step=1h", &reply)
		if err != nil && code(err) != provider.UnknownRoute && code(err) != provider.BadRequest {
			return p.day // the next view asks again
		}
		p.day, p.learned, p.kept = map[string]record{}, now, emptyKept
		hours := p.hours(ctx, reply.Providers)
		for i, r := range reply.Providers {
			r.buckets = hours[i]
			p.day[r.ID] = r
			if r.UptimeRatio != nil || slices.Max(append(r.Known, 0)) > 0 {
				p.kept = pastKept
			}
		}
	}
	return p.day
}

// hours reads the last 24 hours of each provider, with the states and latencies that the
// history of all lacks. It does not read them for very many providers.
func (p *past) hours(ctx context.Context, records []record) [][]bucket {
	const most, atATime = 60, 4
	hours := make([][]bucket, len(records))
	if len(records) > most {
		return hours
	}
	each(len(records), atATime, func(i int) {
		if s := p.of(ctx, records[i].ID, "24h", "1h"); s != nil {
			hours[i] = s.Buckets
		}
	})
	return hours
}

// each calls a function for every number below n, with so many calls at a time.
func each(n, atATime int, do func(int)) {
	places := make(chan int)
	var all sync.WaitGroup
	for range min(atATime, n) {
		all.Go(func() {
			for i := range places {
				do(i)
			}
		})
	}
	for i := range n {
		places <- i
	}
	close(places)
	all.Wait()
}

// of is the history of one provider over a window, nil if the daemon keeps none.
func (p *past) of(ctx context.Context, id, window, step string) *season {
	var s season
	query := url.Values{"window": {window}, "step": {step}}
	if err := p.get(ctx, client.ProviderPath(id, "history")+"?"+query.Encode(), &s); err != nil {
		return nil
	}
	return &s
}

func (p *past) get(ctx context.Context, path string, into any) error {
	body, err := p.client.Do(ctx, client.Request{Path: path})
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

// code is the daemon's code for an error; empty for any other error.
func code(err error) provider.Code {
	var e *provider.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
