package ctl

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) limitsCommand() *command.Command {
	cmd := &command.Command{
		Use:        "limits [ID…]",
		Short:      "Show what is left of the providers' rate limits and credits, and when they are reset",
		SuggestFor: []string{"limit", "quota", "budget", "budgets", "credits", "usage"},
		Long: `Show what is left of the providers' rate limits and credits, and when they are reset, for
all providers or for those named.
` + globHelp + `

It shows what answers said anyway, and sends nothing: the headers about limits of each
probe's own requests and of what programs report ("providerctl report --headers"), and
pages about a key or an account that cost nothing. Many vendors send such headers only with
requests that cost something, so only reports can tell them.

A limit ends at its reset. One without a reset is shown for 10 minutes, or for as long as
the row is fresh. What a user reports who is not an administrator is shown for a minute.

With --watch it shows them again after every change, until ctrl-C, which exits 0. Each JSON
document is then one line.

It exits 1 if no limit is known.`,
		Example: `  providerctl limits
  providerctl limits groq -o json
  providerctl limits --watch`,
		Args:     args(0, -1),
		Complete: a.completeIDs(-1),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	watch := false
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "keep running, and show every change")
	cmd.Run = func(cmd *command.Command, words []string) error {
		ctx := cmd.Context()
		if watch {
			following, stop := a.following()
			defer stop()
			ctx = following
		}
		var ids []string // none: all
		if len(words) > 0 {
			var err error
			if ids, err = a.named(ctx, words); err != nil {
				return err
			}
		}
		if watch {
			return a.watchLimits(ctx, ids, out)
		}
		rows, now, err := a.limitRows(ctx, ids)
		if err != nil {
			return err
		}
		return a.showLimits(limitsOfAll(rows, now), now, out)
	}
	return a.answersYesOrNo(cmd)
}

// limitRows are the rows of the providers with the IDs, or of all, and the daemon's time.
func (a *app) limitRows(ctx context.Context, ids []string) ([]provider.Status, time.Time, error) {
	reply, err := a.client.Status(ctx, client.StatusQuery{IDs: fewOrAll(ids)})
	if err != nil {
		return nil, time.Time{}, err
	}
	rows := reply.Providers
	if len(ids) > 0 {
		rows = inOrder(rows, ids)
	}
	return rows, reply.TS.Time.Local(), nil
}

// A limitsOf is what is left of one provider's limits, as limits -o json prints it.
type limitsOf struct {
	ID     string           `json:"id"`
	UsedUp bool             `json:"used_up"`
	Limits []provider.Limit `json:"limits"`
}

func (a *app) showLimits(all []limitsOf, now time.Time, out *format) error {
	var answer error
	if countLimits(all) == 0 {
		a.say("no limit is known; report one: curl -D headers.txt …, then: providerctl report ID --headers headers.txt")
		answer = errNo
	}
	switch {
	case out.json():
		body, err := json.Marshal(all)
		if err == nil {
			err = a.writeJSON(body)
		}
		return errors.Join(err, answer)
	case answer != nil:
		return answer
	}
	return a.writeLimits(all, now)
}

// writeLimits writes the table, no wider than the screen.
func (a *app) writeLimits(all []limitsOf, now time.Time) error {
	g := limitsGrid(all, now)
	widths := g.widths()
	for _, title := range []string{"FROM", "SHARE", "OF"} { // the least important first
		if width := a.term.width(); width > 0 && total(widths) > width {
			g.remove(title)
			widths = g.widths()
		}
	}
	squeeze(widths, a.term.width(), func(int) int { return 5 })
	return g.write(a.Stdout, widths)
}

func limitsGrid(all []limitsOf, now time.Time) *grid {
	g := &grid{titles: []string{"PROVIDER", "LIMIT", "LEFT", "OF", "SHARE", "RESETS", "FROM"}, right: []bool{false, false, true, true, true, false, false}}
	for _, one := range all {
		for _, l := range one.Limits {
			share := unknown
			if part, ok := l.Share(); ok {
				share = percent(&part)
			}
			g.rows = append(g.rows, []string{
				provider.Printable(one.ID), provider.Printable(l.Name), leftOf(&l), quantity(l.Limit), share, resetOf(&l, now), limitFrom(&l, now),
			})
		}
	}
	g.drop("OF")
	g.drop("SHARE")
	g.drop("RESETS")
	return g
}

// holds reports whether a limit has been neither reset nor forgotten since. The daemon drops
// one without a reset.
func holds(l *provider.Limit, now time.Time) bool {
	return l.ResetsAt.IsZero() || l.ResetsAt.After(now)
}

// leftOf is what is left of a limit.
func leftOf(l *provider.Limit) string {
	if l.Remaining != nil && *l.Remaining <= 0 {
		return "used up"
	}
	return quantity(l.Remaining)
}

func resetOf(l *provider.Limit, now time.Time) string {
	if l.ResetsAt.IsZero() {
		return unknown
	}
	return in(l.ResetsAt, now) + ", at " + clock(l.ResetsAt, now)
}

// limitFrom is who said so, and when.
func limitFrom(l *provider.Limit, now time.Time) string {
	who := string(l.Source)
	if l.By != "" {
		who += " by " + l.By
	}
	return provider.Printable(who) + ", " + ago(l.At, now)
}

// usedUp says in words that a limit is used up, and until when.
func usedUp(l *provider.Limit) string {
	text := provider.Printable("its limit of " + l.Name + " is used up")
	if !l.ResetsAt.IsZero() {
		text += " until " + deadline(l.ResetsAt)
	}
	return text
}

// quantity shows a number of requests, tokens or credits: exactly if it is short.
func quantity(n *float64) string {
	switch {
	case n == nil:
		return unknown
	case *n != math.Trunc(*n):
		return strconv.FormatFloat(*n, 'f', 2, 64)
	case *n < 1_000_000:
		return strconv.FormatFloat(*n, 'f', 0, 64)
	}
	return tokens(int64(*n))
}

// leftTitle heads what is left, if anything is known of that.
const leftTitle = "LEFT"

// leftCell is the limit of which the least is left, in a table of providers.
func leftCell(s *provider.Status, now time.Time) string {
	l := s.Scarcest(now)
	if l == nil {
		return unknown
	}
	text := "no " + l.Name
	if *l.Remaining > 0 {
		text = quantity(l.Remaining) + " " + l.Name
	}
	if !l.ResetsAt.IsZero() {
		text += ", reset " + in(l.ResetsAt, now)
	}
	return provider.Printable(text)
}

// limitsLine is all that is known of a provider's limits, in one line. What is used up comes
// first.
func limitsLine(s *provider.Status, now time.Time) string {
	all := slices.Clone(s.Limits.All())
	slices.SortStableFunc(all, func(a, b provider.Limit) int { return -compareBool(a.UsedUp(now), b.UsedUp(now)) })
	var parts []string
	for _, l := range all {
		if !holds(&l, now) {
			continue
		}
		text := cmp.Or(l.Name, unknown) + ": "
		switch {
		case l.Remaining == nil:
			text += "of " + quantity(l.Limit)
		case l.Limit == nil:
			text += leftOf(&l)
		default:
			text += leftOf(&l) + " of " + quantity(l.Limit)
		}
		if !l.ResetsAt.IsZero() {
			text += ", reset " + in(l.ResetsAt, now)
		}
		if l.By != "" {
			text += " (" + l.By + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}
