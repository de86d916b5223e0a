package mcp

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

const (
	// shortWait and longWait are how long wait_for_provider waits by default, and at most.
	shortWait = 30 * time.Second
	longWait  = 60 * time.Second

	// progressPace is how often a client that wants to know hears that a wait continues.
	progressPace = time.Second

	// longestURL is how long a base URL may be to be in an answer.
	longestURL = 200
)

type pickInput struct {
	IDs    []string `json:"ids,omitempty" jsonschema:"only one of these providers, the first first; without it, any"`
	Model  string   `json:"model,omitempty" jsonschema:"only one that lists this model"`
	Prefer string   `json:"prefer,omitempty" jsonschema:"which of several that are equally good"`
}

type waitInput struct {
	pickInput
	Timeout *float64 `json:"timeout_seconds,omitempty" jsonschema:"how long to wait; 30 without it"`
}

type pickAnswer struct {
	Found   bool       `json:"found" jsonschema:"whether there is one to use now"`
	ID      string     `json:"id,omitempty"`
	Kind    string     `json:"kind,omitempty"`
	State   string     `json:"state,omitempty"`
	Reason  string     `json:"reason,omitempty"`
	BaseURL string     `json:"base_url,omitempty" jsonschema:"for clients of OpenAI's API, if it has that; otherwise its own"`
	KeyEnv  string     `json:"key_env,omitempty" jsonschema:"the variable that should hold its key"`
	Model   string     `json:"model,omitempty"`
	Why     string     `json:"why" jsonschema:"why this one, or why none"`
	Not     []rejected `json:"not_usable,omitempty" jsonschema:"why others cannot be used; only if none was found"`
	More    int        `json:"more,omitempty" jsonschema:"how many others are left out"`
	Hint    string     `json:"hint,omitempty" jsonschema:"what to do next"`
	Retry   int        `json:"retry_in_seconds,omitempty" jsonschema:"when one may be usable again"`
}

type rejected struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
	Why    string `json:"why"`
	Hint   string `json:"hint,omitempty"`
}

func (s *server) pick(ctx context.Context, in pickInput) (pickAnswer, error) {
	return s.pickWithin(ctx, in, 0)
}

func (s *server) wait(ctx context.Context, in waitInput) (pickAnswer, error) {
	wait := shortWait
	if in.Timeout != nil {
		wait = time.Duration(*in.Timeout * float64(time.Second)) // the schema has its bounds
	}
	stop := s.reportProgress(ctx, wait)
	defer stop()
	return s.pickWithin(ctx, in.pickInput, wait)
}

func (s *server) pickWithin(ctx context.Context, in pickInput, wait time.Duration) (pickAnswer, error) {
	if err := checkIDs(in.IDs); err != nil {
		return pickAnswer{}, err
	}
	found, err := s.session.Pick(ctx, ctl.PickQuery{IDs: in.IDs, Model: in.Model, Prefer: in.Prefer}, wait)
	if err != nil {
		return pickAnswer{}, err
	}
	if found.Found {
		return pickedOf(found, in.Model), nil
	}
	retry, err := s.retryOf(ctx, in.IDs)
	if err != nil {
		return pickAnswer{}, err
	}
	return noneOf(found, in.Model, retry, s.spell), nil
}

// retryOf is in how many seconds the first of those providers may be sent a request again,
// or is probed again; 0 if that is not known.
func (s *server) retryOf(ctx context.Context, ids []string) (int, error) {
	reply, err := s.client.Status(ctx, client.StatusQuery{IDs: ids})
	if err != nil {
		return 0, err
	}
	return soonest(reply), nil
}

func soonest(reply *provider.StatusReply) (first int) {
	for i := range reply.Providers {
		s := &reply.Providers[i]
		next := s.RetryAt.Time
		if next.IsZero() {
			next = s.NextCheckAt.Time
		}
		if s.Type == provider.Generic || s.Paused || s.Reason.NeedsPerson() || usableNow(s, reply.TS.Time) {
			continue // time changes nothing; one that is usable lacks the model
		}
		if in := secondsUntil(next, reply.TS.Time); in > 0 && (first == 0 || in < first) {
			first = in
		}
	}
	return first
}

// pickedOf is the answer about the one to use.
func pickedOf(c ctl.Choice, model string) pickAnswer {
	a := pickAnswer{
		Found: true, ID: c.ID, Kind: c.Kind, State: string(c.State), Reason: string(c.Reason), Model: clip(model, 60),
		BaseURL: c.BaseURL, KeyEnv: clip(c.KeyEnv, 60), Why: clip(c.Why, 120),
	}
	if len(a.BaseURL) > longestURL {
		a.leaveURLOut()
	}
	for _, less := range []*string{&a.Why, &a.Model} {
		if size(a) > most {
			*less = clip(*less, 20)
		}
	}
	if size(a) > most { // JSON escapes some characters of a URL, so it may be longer than it looks
		a.leaveURLOut()
	}
	return a
}

// leaveURLOut says how to get a URL that is too long for an answer.
func (a *pickAnswer) leaveURLOut() {
	a.BaseURL, a.Hint = "", "its URL is long; see: providerctl pick "+provider.ShellWord(a.ID)+" -o url"
}

// far is how far a provider is from being usable: one that runs may only lack the model.
func far(r ctl.Rejection) int {
	switch r.State {
	case provider.StateRunning:
		return 0
	case provider.StateDegraded:
		return 1
	}
	return 2
}

// noneOf is the answer if there is none to use: those that are nearest to it come first.
func noneOf(c ctl.Choice, model string, retry int, spell func(string) string) pickAnswer {
	slices.SortStableFunc(c.Rejected, func(a, b ctl.Rejection) int { return cmp.Compare(far(a), far(b)) })
	return fit(len(c.Rejected), func(items int) pickAnswer {
		a := pickAnswer{Why: "no provider can be used now", More: len(c.Rejected) - items, Retry: retry}
		if model != "" {
			a.Why += " for " + clip(model, 60)
		}
		switch {
		case len(c.Rejected) == 0:
			a.Hint = "none that serves models is configured; see: providerctl info"
		case retry > int(longWait.Seconds()):
			a.Hint = "do something else until then, or ask the user"
		case retry > 0:
			a.Hint = "call wait_for_provider"
		default:
			a.Hint = "ask the user"
		}
		for _, r := range c.Rejected[:items] {
			a.Not = append(a.Not, rejected{r.ID, string(r.Reason), clip(r.Why, 70), clip(spell(r.Hint), 90)})
		}
		return a
	})
}

func (a pickAnswer) words() string {
	if a.Found {
		key := ""
		if a.KeyEnv != "" {
			key = "key in " + a.KeyEnv
		}
		return a.ID + ": " + sentence(a.Why, a.BaseURL, key, a.Hint)
	}
	var b strings.Builder
	b.WriteString(sentence(a.Why, retryWords(a.Retry), a.Hint))
	for _, r := range a.Not {
		b.WriteString("\n" + r.ID + ": " + sentence(r.Why, r.Hint))
	}
	if a.More > 0 {
		fmt.Fprintf(&b, "\nand %d more", a.More)
	}
	return b.String()
}
