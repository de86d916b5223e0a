package ctl

import (
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// What follows is pure, and is for programs that show the same things outside a terminal, such
// as the dashboard, so that a state has the same word, order, reason and hint there. Texts are
// as the daemon sent them, and are not escaped.

// A Need is a group of rows that need the same: nothing, some time, or a person.
type Need struct {
	Name  string // "usable", "needs you", …
	Count int
	First provider.Time // for "limited": when the first of them may be probed again
}

// The names of needs that a program decides on.
const (
	NeedsYou = "needs you"
	Usable   = "usable"
	Limited  = "limited"
)

// needNames has the word for each standing.
var needNames = [...]string{
	needsSomebody: NeedsYou,
	failing:       "failing",
	stopped:       "stopped",
	limited:       Limited,
	starting:      "starting",
	keyless:       "without a key",
	notKnown:      "not known",
	paused:        "paused",
	impaired:      Usable,
	usable:        Usable,
}

// NeedOf returns what a row needs, and its urgency: the smaller, the more urgent.
func NeedOf(s *provider.Status, now time.Time) (name string, urgency int) {
	how := standingOf(s, now)
	return needNames[how], int(how)
}

// ByUrgency sorts rows as `providerctl status` does on a full screen: those that need somebody
// first, then those that recover by themselves, then those that can be used.
func ByUrgency(rows []provider.Status, now time.Time) []provider.Status { return byUrgency(rows, now) }

// Needs counts rows by need, those that can be used first, then the most urgent. Groups
// without rows are left out.
func Needs(rows []provider.Status, now time.Time) []Need {
	c := censusOf(rows, now)
	var all []Need
	if n := c.counts[usable] + c.counts[impaired]; n > 0 {
		all = append(all, Need{Name: Usable, Count: n})
	}
	for how, n := range c.counts[:impaired] {
		if n == 0 {
			continue
		}
		need := Need{Name: needNames[how], Count: n}
		switch standing(how) {
		case limited:
			need.First = c.until
		case needsSomebody:
			if n > 1 {
				need.Name = "need you"
			}
		}
		all = append(all, need)
	}
	return all
}

// Facts are the names and values of what is known about a provider, as `providerctl status
// ID` prints them.
func Facts(s *provider.Status, now time.Time) [][2]string { return cardLines(s, now) }

// Story is what a row or an event reports in addition to its reason.
func Story(doubt *provider.Doubt, detail string) string { return storyOf(doubt, detail).String() }

// InDoubt reports whether something was seen that is not enough to change the row.
func InDoubt(s *provider.Status) bool { return doubtOf(s) != nil }

// HintFor is what to do next about a row; empty if there is nothing to do.
func HintFor(s *provider.Status, now time.Time) string {
	if s.Reason.Healthy() {
		return ""
	}
	return hintOf(s, now)
}

// A Step is one layer of a probe: what was sent and what came back.
type Step struct {
	Name   string
	Asked  string // empty for a step that sends nothing
	Came   string
	TookMS float64
	Answer []string // headers of the answer
	Body   string   // its beginning
}

// Steps are the layers of a probe, in order.
func Steps(d *provider.Diagnostics) []Step {
	var all []Step
	for _, l := range layers(d) {
		all = append(all, Step{l.name, l.asked, l.came, l.tookMS, l.headers, l.body})
	}
	return all
}

// VerdictFacts is how a probe was judged, and FeedFacts is what the vendor's status feed
// reported, as names and values.
func VerdictFacts(v *provider.Verdict, now time.Time) [][2]string {
	return trimmed(verdictLines(v, now))
}

// FeedFacts: see [VerdictFacts]. It is empty if no feed is followed.
func FeedFacts(f *provider.FeedStep, now time.Time) [][2]string { return trimmed(feedLines(f, now)) }

// trimmed removes the indentation of names.
func trimmed(lines [][2]string) [][2]string {
	for i := range lines {
		lines[i][0] = strings.TrimSpace(lines[i][0])
	}
	return lines
}

// Uptime sums a history up in one line.
func Uptime(h *provider.HistoryReply) string { return uptime(h) }

// A Pick is the provider to use now, as `providerctl pick` chooses it.
type Pick struct {
	ID      string
	BaseURL string // for clients; empty if it is at a Unix socket
	Why     string
}

// PickFrom chooses from rows as they are known, without a probe. Ok is false if none can be
// used.
func PickFrom(reply *provider.StatusReply) (p Pick, ok bool) {
	q := newPickQuery()
	usable, _ := sift(reply, q)
	if len(usable) == 0 {
		return Pick{}, false
	}
	c := usable[0].chosen(q, "")
	return Pick{c.ID, c.BaseURL, c.Why}, true
}

// Environment is what `providerctl pick ID -o env` prints: lines of NAME=VALUE, never a key.
func Environment(s *provider.Status) []string {
	c := candidate{Status: *s}
	return c.chosen(newPickQuery(), "").environment()
}

// ModelsUnknown is why a provider's list of models is not known, empty if it is known.
func ModelsUnknown(s *provider.Status, reply *provider.ModelsReply) string { return noList(*s, reply) }

// Latency, Span, Ago, Size and Clock are values as the tables show them.
func Latency(ms float64) string { return latency(ms) }

// RemoteRows are the servers of other machines as rows, whose IDs begin with the machine.
func RemoteRows(reply *provider.FleetReply) []provider.Status { return remoteRows(reply) }

// Span is a duration in its largest unit.
func Span(d time.Duration) string { return span(d) }

// Size is a number of bytes in decimal units.
func Size(n int64) string { return size(n) }

// Tokens is a count of tokens.
func Tokens(n int64) string { return tokens(n) }

// Clock is a time in the future, in the zone of now.
func Clock(t provider.Time, now time.Time) string { return clock(t, now) }
