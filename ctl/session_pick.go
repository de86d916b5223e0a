package ctl

import (
	"context"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A PickQuery says which provider is wanted.
type PickQuery struct {
	IDs    []string // none means all that serve models
	Model  string   // only one that lists this model; empty: any
	Prefer string   // one of [Preferences]; empty: as pick does
}

// Preferences are the ways to choose among several providers that are equally good.
func Preferences() []string { return newPickQuery().prefer.allowed }

// A Choice is what pick found.
type Choice struct {
	Found    bool
	ID       string
	Kind     string
	State    provider.State
	Reason   provider.Reason
	BaseURL  string // for clients of OpenAI's API, if the provider has it; empty at a Unix socket
	KeyEnv   string // the variable that should hold the key; empty: none is needed, or it has no name
	Why      string
	Rejected []Rejection
}

// A Rejection is why a provider cannot be used.
type Rejection struct {
	ID     string
	State  provider.State
	Reason provider.Reason
	Why    string
	Hint   string
}

// Pick finds the provider to use, as providerctl pick does. It waits up to wait until there
// is one, as providerctl run --wait does, and ends early if nothing but a person can help.
func (s *Session) Pick(ctx context.Context, p PickQuery, wait time.Duration) (Choice, error) {
	q := newPickQuery()
	q.ids, q.model = p.IDs, p.Model
	switch {
	case p.Prefer != "":
		if err := q.prefer.Set(p.Prefer); err != nil {
			return Choice{}, err
		}
	case len(p.IDs) > 0:
		q.prefer.value = preferOrder
	}
	found, err := s.app.chooseWithin(ctx, q, wait)
	if err != nil {
		return Choice{}, err
	}
	var c Choice
	for _, r := range found.Rejected {
		c.Rejected = append(c.Rejected, Rejection(r))
	}
	if p := found.chosen; p != nil {
		c.Found, c.ID, c.Kind, c.State, c.Reason, c.Why = true, p.ID, p.Kind, p.State, p.Reason, p.Why
		c.BaseURL, c.KeyEnv = p.BaseURL, p.told().KeyEnv
	}
	return c, nil
}
