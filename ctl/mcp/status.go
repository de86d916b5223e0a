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

// mostIDs is how many providers a call may name.
const mostIDs = 64

type statusInput struct {
	IDs []string `json:"ids,omitempty" jsonschema:"ids of the providers; without it, all"`
}

type statusAnswer struct {
	Total     int           `json:"total" jsonschema:"how many providers were asked about"`
	Usable    int           `json:"usable" jsonschema:"how many of them can be used now"`
	Providers []statusOfOne `json:"providers" jsonschema:"without ids: those in trouble first"`
	More      int           `json:"more,omitempty" jsonschema:"how many are left out here; name their ids to see them"`
}

type statusOfOne struct {
	ID     string `json:"id"`
	State  string `json:"state"`
	Reason string `json:"reason"`
	Usable bool   `json:"usable" jsonschema:"whether requests can be sent to it now"`
	Detail string `json:"detail,omitempty" jsonschema:"what is wrong"`
	Hint   string `json:"hint,omitempty" jsonschema:"what a person can do about it"`
	Retry  int    `json:"retry_in_seconds,omitempty" jsonschema:"send nothing before that"`
	Stale  bool   `json:"stale,omitempty" jsonschema:"it was not checked recently"`
	Load   string `json:"load,omitempty" jsonschema:"requests of a server that reports them"`
}

func (s *server) status(ctx context.Context, in statusInput) (statusAnswer, error) {
	if err := checkIDs(in.IDs); err != nil {
		return statusAnswer{}, err
	}
	reply, err := s.client.Status(ctx, client.StatusQuery{IDs: in.IDs})
	if err != nil {
		return statusAnswer{}, err
	}
	return statusOf(reply, in.IDs, s.spell), nil
}

// checkIDs refuses more IDs than a request can name.
func checkIDs(ids []string) error {
	if len(ids) > mostIDs {
		return provider.Errorf(provider.BadRequest, "leave ids out to ask about all", "%d ids; at most %d can be named", len(ids), mostIDs)
	}
	if slices.Contains(ids, "") {
		return provider.Errorf(provider.BadRequest, "leave it out to ask about all", "an id is empty")
	}
	return nil
}

// statusOf is the answer about rows: in the order of the IDs or, without any, those in
// trouble first.
func statusOf(reply *provider.StatusReply, ids []string, spell func(string) string) statusAnswer {
	rows := slices.Clone(reply.Providers)
	slices.SortStableFunc(rows, func(a, b provider.Status) int {
		if len(ids) > 0 {
			return cmp.Compare(slices.Index(ids, a.ID), slices.Index(ids, b.ID))
		}
		return cmp.Compare(rank(&a, reply.TS.Time), rank(&b, reply.TS.Time))
	})
	usable := 0
	for i := range rows {
		if usableNow(&rows[i], reply.TS.Time) {
			usable++
		}
	}
	return fit(len(rows), func(items int) statusAnswer {
		a := statusAnswer{Total: len(rows), Usable: usable, Providers: []statusOfOne{}, More: len(rows) - items}
		for _, row := range rows[:items] {
			a.Providers = append(a.Providers, oneOf(&row, reply.TS.Time, spell))
		}
		return a
	})
}

// usableNow reports whether requests can be sent to the provider.
func usableNow(s *provider.Status, now time.Time) bool {
	return provider.Usable(s.State, s.Reason) && !s.Paused && !s.RetryAt.After(now)
}

// rank puts what is in trouble first, and what nobody asked for last.
func rank(s *provider.Status, now time.Time) int {
	switch {
	case usableNow(s, now):
		return 1
	case s.Unasked:
		return 2
	}
	return 0
}

// oneOf is what is said of one provider. Only one that cannot be used needs more than a word.
func oneOf(s *provider.Status, now time.Time, spell func(string) string) statusOfOne {
	one := statusOfOne{ID: s.ID, State: string(s.State), Reason: string(s.Reason), Usable: usableNow(s, now), Stale: s.Stale, Load: ctl.Load(s)}
	if one.Retry = secondsUntil(s.RetryAt.Time, now); !one.Usable || s.State != provider.StateRunning {
		one.Detail, one.Hint = clip(s.Detail, 80), clip(spell(s.Hint), 100)
	}
	return one
}

func (a statusAnswer) words() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d can be used", a.Usable, a.Total)
	for _, one := range a.Providers {
		b.WriteString("\n" + one.words())
	}
	if a.More > 0 {
		fmt.Fprintf(&b, "\nand %d more", a.More)
	}
	return b.String()
}

func (one *statusOfOne) words() string {
	state := one.ID + ": " + one.State
	if one.Reason != string(provider.OK) {
		state += " (" + one.Reason + ")"
	}
	not := ""
	if !one.Usable {
		not = "not usable"
	}
	stale := ""
	if one.Stale {
		stale = "not checked recently"
	}
	return sentence(state, not, one.Load, one.Detail, one.Hint, retryWords(one.Retry), stale)
}

func retryWords(seconds int) string {
	if seconds == 0 {
		return ""
	}
	return fmt.Sprintf("retry in %d s", seconds)
}
