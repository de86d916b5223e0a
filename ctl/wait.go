package ctl

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

const (
	// probePace is how often the daemon probes a provider at most. A row of a probe that
	// young is current.
	probePace = time.Second
	// lookPace is how often the daemon is asked for a newer row. For a local server that is
	// not there it makes a bare connect each time.
	lookPace = 250 * time.Millisecond
)

func (a *app) waitCommand() *command.Command {
	var (
		states     string
		w          = waiting{app: a}
		all, quiet bool
	)
	cmd := &command.Command{
		Use:   "wait ID…",
		Short: "Wait until providers are in a state",
		Long: `Wait until a provider is in one of the states named by --for. Meanwhile it is probed
once a second; a local server that is not there gets a bare connect four times a second.
It exits 1 early if that cannot happen before somebody acts: a key is missing or
rejected, another program answers, there is no model to serve, probing is paused.
It exits 6 when the time is up.

With several IDs, all of them have to be in such a state at the same time, or with
--any one of them. With --any it exits early only if none of them can be.
` + globHelp + `

With --fleet an ID such as gpu2/vllm is a server of another machine, which probes it at its
own pace. That machine can be away at first.

It also waits for a daemon that has not started yet or is restarting. If none answers in
time, it exits 3.`,
		Example: `  providerctl wait ollama --for RUNNING --timeout 60s
  providerctl wait ollama --for RUNNING,DEGRADED
  providerctl wait 'gpu*' openai --any`,
		Args:     waitArgs,
		Complete: a.completeIDs(-1),
	}
	flags := cmd.Flags()
	flags.StringVar(&states, "for", string(provider.StateRunning), "state, or several separated by commas").Complete = completeStates
	flags.DurationVar(&w.timeout, "timeout", 60*time.Second, "how long to wait")
	flags.BoolVar(&w.any, "any", false, "wait for any one of several")
	flags.BoolVar(&all, "all", false, "wait for all of several (the default)")
	flags.BoolVar(&w.fleet, "fleet", false, "also wait for servers of other machines of the fleet")
	flags.BoolVarP(&quiet, "quiet", "q", false, "print nothing on success")
	cmd.Run = func(_ *command.Command, words []string) (err error) {
		if w.targets, err = parseStates(states); err != nil {
			return err
		}
		switch {
		case w.timeout <= 0:
			return usage("give a duration such as 60s, or 8760h for a year", "wait: --timeout must be positive")
		case w.any && all:
			return usage("use one or the other", "wait: --any and --all")
		case !w.fleet && slices.ContainsFunc(words, isRemote):
			return usage("to wait for another machine's server: providerctl wait --fleet "+typed(words), "wait: no ID of this machine has a slash")
		}
		rows, err := w.waitFor(a.interruptible(true), words)
		if err != nil || quiet {
			return stateMeant(err, words)
		}
		for _, s := range rows {
			err = errors.Join(err, a.print(s.ID+" is "+describe(s)))
		}
		return err
	}
	return cmd
}

// waitArgs refuses a state in place of an ID, because no provider is called that.
func waitArgs(cmd *command.Command, words []string) error {
	if err := args(1, -1)(cmd, words); err != nil {
		return err
	}
	for i, word := range words[1:] {
		if _, err := provider.ParseState(word); err == nil && word == strings.ToUpper(word) {
			return usage("did you mean: "+cmd.CommandPath()+" "+typed(words[:i+1])+" "+asState(word), "wait: unexpected argument %q", word)
		}
	}
	return nil
}

// stateMeant corrects the hint if a mistyped state was taken for an ID.
func stateMeant(err error, words []string) error {
	var e *provider.Error
	if !errors.As(err, &e) || e.Code != provider.UnknownProvider {
		return err
	}
	for i, word := range words[1:] {
		if flag := asState(word); flag != "" && strings.Contains(e.Message, strconv.Quote(word)) {
			return provider.Errorf(e.Code, "did you mean: providerctl wait "+typed(words[:i+1])+" "+flag, "%s", e.Message)
		}
	}
	return err
}

func parseStates(list string) ([]provider.State, error) {
	var states []provider.State
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		s, err := provider.ParseState(name)
		if err != nil {
			hint := provider.DidYouMean(name, stateNames(), "--for ", "for example: --for RUNNING,DEGRADED")
			return nil, usage(hint, "wait: %v", err)
		}
		states = append(states, s)
	}
	return states, nil
}

// asState is the flag that gives a state to wait.
func asState(word string) string {
	if _, err := parseStates(word); err == nil {
		return "--for " + word
	}
	if near := provider.Nearest(word, stateNames()); len(near) > 0 {
		return "--for " + near[0]
	}
	return ""
}

func stateNames() (names []string) {
	for _, s := range provider.States {
		names = append(names, string(s))
	}
	return names
}

// replyTime is the time left for the daemon's reply. Without it, the last row would come
// too late, and nothing could be said about the provider.
const replyTime = 200 * time.Millisecond

// probed returns the provider's row from a probe or bare connect that began at most maxAge
// ago, if there is one before ctx ends.
func (a *app) probed(ctx context.Context, id string, maxAge time.Duration) (*provider.Status, error) {
	wait := probeWait
	if end, ok := ctx.Deadline(); ok {
		wait = max(0, min(wait, time.Until(end)-replyTime))
	}
	return a.row(ctx, client.StatusQuery{IDs: []string{id}, MaxAge: &maxAge, Wait: &wait})
}

// current reports whether a row is up to date. A rate-limited provider is not probed, so
// its last row holds.
func current(s provider.Status, now time.Time) bool {
	return !s.Stale || s.Source != provider.FromRestored && s.RetryAt.After(now)
}

// needsPerson reports whether none of the states can be reached before somebody acts. A
// server can stop or break by itself at any time, but nobody would see it while probing is
// paused.
func needsPerson(s provider.Status, targets []provider.State, now time.Time) bool {
	if s.Paused {
		return true
	}
	byItself := func(t provider.State) bool {
		return t == provider.StateStopped || t == provider.StateError || t == provider.StateUnknown
	}
	if s.Type == provider.Generic && s.Reason == provider.BadResponse {
		return false // what the configuration expects can still come
	}
	if s.Source == provider.FromReport {
		return false // a probe has yet to say so
	}
	if mayBeAway(s, now) {
		return false
	}
	return !s.Stale && s.Reason.NeedsPerson() && !slices.ContainsFunc(targets, byItself)
}

// mayBeAway reports whether another program answers, or the answers are odd, but only since
// recently, and the provider was healthy before. A load balancer does that while the
// server behind it is away, and the daemon probes at the fast pace for as long.
func mayBeAway(s provider.Status, now time.Time) bool {
	const patience = 3 * time.Minute
	return (s.Reason == provider.WrongService || s.Reason == provider.BadResponse) && !s.LastOKAt.IsZero() && now.Sub(s.Since.Time) < patience
}

// mayReturn reports whether the daemon is too busy, or is away and can come back.
func mayReturn(err error) bool {
	var e *provider.Error
	if client.MayCome(err) {
		return true
	}
	return errors.As(err, &e) && (isAnswer(e.Code) || e.Code == provider.TimedOut)
}

// isAnswer reports whether a daemon answered that it cannot serve the request now.
func isAnswer(code provider.Code) bool {
	return code == provider.ShuttingDownNow || code == provider.TooMany
}

// untilProbe is how long to wait until the next probe, or until the daemon may answer.
func untilProbe(s *provider.Status, err error) time.Duration {
	const least = 100 * time.Millisecond
	switch {
	case client.MayCome(err):
		return least // the client has already tried repeatedly
	case s == nil || s.AgeMS == nil || s.Stale:
		return probePace
	}
	return max(least, lookPace-time.Duration(*s.AgeMS)*time.Millisecond)
}

// pause waits; it reports false if the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// A sofar is what a wait has learned so far.
type sofar struct {
	id       string
	timeout  time.Duration
	last     *provider.Status
	at       time.Time // of last
	answered bool      // by a daemon
	lost     error     // why none does now; nil: one does
}

// silence is how old the last row must be before a request that our own time ended is
// held against the daemon, which should answer just before that.
const silence = 2 * probePace

// missed remembers that the daemon returned no row. If our own time was up, that means
// nothing, unless nothing newer is known.
func (so *sofar) missed(err error) {
	var e *provider.Error
	if errors.Is(err, context.DeadlineExceeded) && (so.lost != nil || so.answered && time.Since(so.at) < silence) {
		return
	}
	so.answered = so.answered || errors.As(err, &e) && isAnswer(e.Code)
	so.lost = err
}

// timedOut is the error when the time is up. It names the daemon if none ever answered.
func (so *sofar) timedOut() error {
	var lost *provider.Error
	errors.As(so.lost, &lost)
	switch {
	case !so.answered && lost != nil:
		return provider.Errorf(provider.DaemonUnreachable, lost.Hint, "no daemon answered within %v: %s", so.timeout, lost.Message)
	case so.last == nil:
		return provider.Errorf(provider.TimedOut, "give it longer: --timeout 60s", "%s was not checked within %v", so.id, so.timeout)
	case lost != nil:
		since := "has not answered"
		if lost.Code == provider.DaemonUnreachable || lost.Code == provider.ShuttingDownNow {
			since = "has been away"
		}
		return provider.Errorf(provider.TimedOut, lost.Hint, "%s was %s, and the daemon %s since; gave up after %v",
			so.id, describe(*so.last), since, so.timeout)
	}
	hint := so.last.Hint
	if strings.HasPrefix(hint, "wait for it: providerctl wait ") { // which has just been done
		hint = "give it longer: --timeout " + span(2*so.timeout)
	}
	return provider.Errorf(provider.TimedOut, hint, "%s is still %s after %v", so.id, describe(*so.last), so.timeout)
}
