package top

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// dayLength is how many hours a trend shows.
const dayLength = 24

// pulse is what the trend shows: the medians of the last hours, then the latest probe that was
// seen. If the daemon keeps no medians, it is all probes that were seen.
func (m *model) pulse(id string) []float64 {
	seen := m.pulses.Of(id)
	if hours := m.hours[id]; len(hours) > 0 {
		return append(slices.Clone(hours), seen[max(0, len(seen)-1):]...)
	}
	return seen
}

func (m *model) uptime(id string) (ratio float64, known bool) {
	ratio, known = m.past[id]
	return ratio, known
}

// The routes for the last day of all providers, and for the hours of one. An older daemon lacks
// the first.
const pastPath = "/api/history?window=24h&step=1h"

func hoursPath(id string) string {
	return client.ProviderPath(id, "history") + "?window=24h&step=1h"
}

// A pastReply is the part of the first reply that is shown.
type pastReply struct {
	Providers []struct {
		ID          string   `json:"id"`
		UptimeRatio *float64 `json:"uptime_ratio"` // absent if no time is known
		KnownS      float64  `json:"known_seconds"`
	} `json:"providers"`
}

// An hoursReply is the part of the second reply that is shown.
type hoursReply struct {
	Buckets []struct {
		Time  provider.Time `json:"time"`
		P50MS float64       `json:"p50_ms"`
	} `json:"buckets"`
}

// askPast reads how much of the last day each provider was up, and how much of the day is
// known of the one of which most is; nil if the daemon cannot say it, and then there is no
// such column.
func askPast(ctx context.Context, c *client.Client) (past map[string]float64, known time.Duration) {
	reply, err := ask[pastReply](ctx, c, pastPath)
	if err != nil {
		return nil, 0
	}
	past = make(map[string]float64, len(reply.Providers))
	for _, p := range reply.Providers {
		known = max(known, time.Duration(p.KnownS*float64(time.Second)))
		if p.UptimeRatio != nil {
			past[p.ID] = *p.UptimeRatio
		}
	}
	return past, known
}

// askHours reads the median latencies of a provider's last hours, the oldest first. An hour
// without an answer has 0.
func askHours(ctx context.Context, c *client.Client, id string) []float64 {
	reply, err := ask[hoursReply](ctx, c, hoursPath(id))
	if err != nil {
		return nil
	}
	var hours []float64
	for i, b := range reply.Buckets {
		if i > 0 { // hours of which nothing is known are left out
			apart := b.Time.Sub(reply.Buckets[i-1].Time.Time)
			for ; apart > time.Hour && len(hours) < 2*dayLength; apart -= time.Hour {
				hours = append(hours, 0)
			}
		}
		hours = append(hours, b.P50MS)
	}
	return hours[max(0, len(hours)-dayLength):]
}

func ask[T any](ctx context.Context, c *client.Client, path string) (reply T, err error) {
	body, err := c.Do(ctx, client.Request{Path: path})
	if err == nil {
		err = json.Unmarshal(body, &reply)
	}
	return reply, err
}
