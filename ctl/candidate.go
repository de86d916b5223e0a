package ctl

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// The ways to choose among several that are equally good.
const (
	preferLocal   = "local"
	preferFastest = "fastest"
	preferOrder   = "order"
	preferIdle    = "idle"
)

// A candidate is a provider that can be used.
type candidate struct {
	provider.Status
	limited bool // up, but of limited use: after all the others
	last    bool // it has no address to print, so it comes after all others
	order   int  // in the order of the configuration, or of the IDs given

	spent *provider.Limit // used up, so that it comes after all that have something left; nil: none is
}

// sift returns the rows that can be used, the best first, and why the others cannot.
// A provider without models is left out, unless it was named.
func sift(reply *provider.StatusReply, q pickQuery) (usable []candidate, no []rejected) {
	for i, s := range reply.Providers {
		c := candidate{Status: s, order: i}
		if len(q.ids) > 0 {
			c.order = position(q.ids, s.ID)
		}
		why, hint := c.unusable(reply.TS.Time, q.model)
		if isRemote(s.ID) {
			why, hint = c.remoteUnusable(reply.TS.Time, q.model)
		}
		if why == "" && (q.form == formatURL || q.form == formatRun) {
			why, hint = c.unreachable()
		}
		switch {
		case s.Type == provider.Generic && len(q.ids) == 0:
		case why != "":
			no = append(no, c.rejected(why, hint))
		default:
			c.spent = s.UsedUp(reply.TS.Time)
			c.limited = s.State != provider.StateRunning || doubtOf(&s) != nil || s.KeyWithheld
			c.last = q.form == formatEnv && (c.isSocket() || c.needs() != nil)
			usable = append(usable, c)
		}
	}
	slices.SortStableFunc(usable, func(a, b candidate) int {
		return cmp.Or(compareBool(a.last, b.last), a.compareSpent(&b), compareBool(a.limited, b.limited), a.compare(&b, q.prefer.value), cmp.Compare(a.order, b.order))
	})
	return usable, no
}

// isSocket reports whether the provider is at a Unix socket, which a client that takes a
// URL cannot reach.
func (c *candidate) isSocket() bool { return isSocket(c.Endpoint) }

// needs is what a program needs to use the provider, in addition to a key.
func (c *candidate) needs() []string {
	if c.Client == nil {
		return nil
	}
	return c.Client.Needs
}

// unreachable is why a program that is given a URL cannot use the provider, and what to
// do; empty if it can.
func (c *candidate) unreachable() (why, hint string) {
	switch needs := c.needs(); {
	case c.isSocket():
		return describe(c.Status) + ", at a Unix socket, which has no URL", "use the socket: providerctl pick " + c.ID + " -o env; or make the server listen on a port"
	case len(needs) > 0:
		return describe(c.Status) + ", " + needing(needs), "give the program its own, and the address: providerctl pick " + c.ID + " -o env"
	}
	return "", ""
}

// needing is what a program needs, in words.
func needing(needs []string) string {
	words := map[string]string{provider.NeedsPassword: "a user and password", provider.NeedsCertificate: "a client certificate"}
	var all []string
	for _, need := range needs {
		all = append(all, cmp.Or(words[need], need))
	}
	return "it wants " + strings.Join(all, " and ") + ", which the daemon does not give out"
}

func isSocket(endpoint string) bool { return strings.HasPrefix(endpoint, "unix:") }

// unusable is why a provider cannot be used now, and what to do; empty if it can.
func (c *candidate) unusable(now time.Time, model string) (why, hint string) {
	switch {
	case c.Type == provider.Generic:
		return "a kind without models", "name one that serves them"
	case c.Paused:
		return "probing is paused, so its state is not known", "resume it: providerctl resume " + c.ID
	case c.Stale:
		return describe(c.Status), "probe it: providerctl refresh " + c.ID + " --wait"
	case c.RetryAt.After(now):
		return describe(c.Status) + ", left alone until " + deadline(c.RetryAt), ""
	case provider.Usable(c.State, c.Reason) || servesOthers(&c.Status, model):
		return "", ""
	}
	return describe(c.Status), c.Hint
}

// servesOthers reports whether a provider lacks a required model, but may serve the wanted
// one.
func servesOthers(s *provider.Status, model string) bool {
	return s.State == provider.StateDegraded && s.Reason == provider.ModelMissing && model != ""
}

// compare orders two equally good candidates by preference.
func (c *candidate) compare(other *candidate, prefer string) int {
	switch prefer {
	case preferLocal:
		return cmp.Or(compareBool(c.Type != provider.Local, other.Type != provider.Local), compareBool(isRemote(c.ID), isRemote(other.ID)))
	case preferFastest:
		return cmp.Compare(c.latency(), other.latency())
	case preferIdle:
		return cmp.Or(idlenessOf(c.Busy).compare(idlenessOf(other.Busy)), compareBool(c.Type != provider.Local, other.Type != provider.Local))
	}
	return 0
}

// compareSpent puts a candidate that has used up a limit last and, of several, the one whose
// limit is reset first.
func (c *candidate) compareSpent(other *candidate) int {
	switch {
	case c.spent == nil || other.spent == nil:
		return compareBool(c.spent != nil, other.spent != nil)
	case c.spent.ResetsAt.IsZero() != other.spent.ResetsAt.IsZero():
		return compareBool(c.spent.ResetsAt.IsZero(), other.spent.ResetsAt.IsZero())
	}
	return c.spent.ResetsAt.Compare(other.spent.ResetsAt.Time)
}

// latency is that of the last answer; an unknown one is the longest. Another machine's is of
// that machine.
func (c *candidate) latency() float64 {
	if c.LatencyMS <= 0 || isRemote(c.ID) {
		return math.Inf(1)
	}
	return c.LatencyMS
}

// compareBool puts false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// chosen is the candidate as the one to use; more is what else speaks for it.
func (c *candidate) chosen(q pickQuery, more string) *chosen {
	why := describe(c.Status)
	switch q.prefer.value {
	case preferFastest:
		why += ", the fastest"
	case preferIdle:
		why += ", " + busyText(c.Busy)
	case preferLocal:
		why += ", " + string(c.Type)
	}
	if member, _, remote := strings.Cut(c.ID, onMember); remote {
		why += ", as " + member + " sees it"
	}
	if c.KeyWithheld {
		why += ", not trusted with its key"
	}
	if doubt := doubtOf(&c.Status); doubt != nil {
		why += ", " + doubt.String()
	}
	if c.spent != nil {
		why += ", the last choice: " + usedUp(c.spent)
	}
	if more != "" {
		why += ", " + more
	}
	found := &chosen{
		ID: c.ID, Kind: c.Kind, Type: c.Type, State: c.State, Reason: c.Reason, Endpoint: c.Endpoint,
		Client: c.Client, LatencyMS: c.LatencyMS, Model: q.model, Why: why,
	}
	found.BaseURL, found.spent = found.baseURL(), c.spent
	return found
}

func (c *candidate) rejected(why, hint string) rejected {
	return rejected{ID: c.ID, State: c.State, Reason: c.Reason, Why: why, Hint: hint}
}
