package mcp

import (
	"context"
	"errors"
	"time"

	"github.com/providerd/providerd/store/provider"
)

const (
	// turn is how often the daemon accepts a report of a user, and mostTurns how many of
	// those a call waits for.
	turn      = time.Second
	mostTurns = 5
)

type reportInput struct {
	ID         string `json:"id" jsonschema:"id of the provider"`
	Status     int    `json:"status,omitempty" jsonschema:"HTTP status of the answer: 401, 402, 403, 429 or 5xx"`
	Error      string `json:"error,omitempty" jsonschema:"why there was no answer"`
	RetryAfter string `json:"retry_after,omitempty" jsonschema:"the answer's header Retry-After"`
}

type reportAnswer struct {
	ID     string `json:"id"`
	State  string `json:"state" jsonschema:"of the provider now"`
	Reason string `json:"reason"`
	Usable bool   `json:"usable"`
	Hint   string `json:"hint" jsonschema:"what to do next"`
	Retry  int    `json:"retry_in_seconds,omitempty" jsonschema:"send nothing before that"`
}

func (s *server) report(ctx context.Context, in reportInput) (reportAnswer, error) {
	if err := checkID(in.ID); err != nil {
		return reportAnswer{}, err
	}
	if in.Status == 0 && in.Error == "" {
		return reportAnswer{}, provider.Errorf(provider.BadRequest, "give the status of the answer or, if none came, error", "nothing is reported")
	}
	met := provider.Report{Status: in.Status, Error: in.Error, RetryAfter: in.RetryAfter}
	for n := 1; ; n++ {
		row, err := s.client.Report(ctx, in.ID, met)
		if err == nil {
			return reportOf(row, time.Now()), nil
		}
		if e := (*provider.Error)(nil); n == mostTurns || !errors.As(err, &e) || e.Code != provider.TooMany {
			return reportAnswer{}, err
		}
		if err := sleep(ctx, turn); err != nil {
			return reportAnswer{}, err
		}
	}
}

func reportOf(row *provider.Status, now time.Time) reportAnswer {
	a := reportAnswer{ID: row.ID, State: string(row.State), Reason: string(row.Reason), Usable: usableNow(row, now)}
	a.Retry = secondsUntil(row.RetryAt.Time, now)
	switch {
	case row.Paused:
		a.Hint = "its probing is paused; call pick_provider for another one"
	case a.Retry > 0:
		a.Hint = "it is left alone until then; call pick_provider for another one"
	default:
		a.Hint = "it is being probed; call pick_provider for another one"
	}
	return a
}

func (a reportAnswer) words() string {
	return a.ID + ": " + sentence(a.State+" ("+a.Reason+")", retryWords(a.Retry), a.Hint)
}

// sleep waits, and returns early with the error of ctx if that ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
