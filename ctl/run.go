package ctl

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

// formatRun is for the environment of a program.
const formatRun = "run"

func (a *app) runCommand() *command.Command {
	q := newPickQuery()
	q.form, q.owners = formatRun, true
	var wait time.Duration
	cmd := &command.Command{
		Use:        "run [ID…] -- CMD [ARG…]",
		Short:      "Run a program with the provider to use now in its environment",
		SuggestFor: []string{"exec", "env"},
		Long: `Pick a provider as pick does, and replace providerctl by CMD, so that exit code,
signals, standard input and output are CMD's own. With --wait it waits until a provider
is usable, unless somebody has to act first.

CMD's environment has what pick -o env prints, OPENAI_API_BASE, and in OPENAI_API_KEY
the provider's key from the caller's environment, or "none". The daemon gives its keys
to nobody. The variables in which other vendors' programs look for a key or an address
are removed, and so is every variable that contains such a key: OPENAI_BASE_URL may now
name another vendor. At the vendor's own address its own variables stay; elsewhere only
the one that the configuration names.

It exits with CMD's exit code; with 127 if there is no such program, with 126 if it
cannot be run, and as pick does if no provider can be used.`,
		Example: `  providerctl run -- aider
  providerctl run --model qwen3:8b --wait 60s ollama lmstudio -- python agent.py`,
		Args:     a.runArgs,
		Complete: a.completeRun,
	}
	a.pickFlags(cmd, &q)
	cmd.Flags().DurationVar(&wait, "wait", 0, "how long to wait until one is usable")
	cmd.Run = func(cmd *command.Command, words []string) error {
		if err := q.of(cmd, words[:cmd.Dash()]); err != nil {
			return err
		}
		if wait < 0 {
			return usage("give a duration such as 60s", "run: --wait is negative")
		}
		return a.run(cmd.Context(), q, words[cmd.Dash():], wait)
	}
	return cmd
}

// runArgs requires a program after "--", which separates it from the IDs.
func (a *app) runArgs(cmd *command.Command, words []string) error {
	dash := cmd.Dash()
	switch {
	case dash < 0 && len(words) > 0:
		line := slices.Insert(slices.Clone(words), a.leadingIDs(words), "--")
		return usage("write -- before the program: "+cmd.CommandPath()+" "+typed(line), "run: there is no -- before the program")
	case dash < 0 || dash == len(words):
		return usage("usage: "+cmd.UseLine(), "run: the program is missing")
	case slices.Contains(words[:dash], ""):
		return usage("usage: "+cmd.UseLine(), "run: an ID is empty")
	}
	return nil
}

// leadingIDs is how many of the first words are IDs that the daemon knows.
func (a *app) leadingIDs(words []string) int {
	ctx, cancel := context.WithTimeout(a.ctx, time.Second)
	defer cancel()
	reply, err := a.client.Status(ctx, client.StatusQuery{})
	if err != nil {
		return 0
	}
	known := idsOf(reply.Providers)
	n := 0
	for n < len(words)-1 && slices.Contains(known, words[n]) {
		n++
	}
	return n
}

// completeRun offers IDs before "--", and files after it.
func (a *app) completeRun(cmd *command.Command, words []string, word string) ([]string, command.Directive) {
	if cmd.Dash() >= 0 {
		return nil, command.OfferFiles
	}
	return a.completeIDs(-1)(cmd, words, word)
}

func (a *app) run(ctx context.Context, q pickQuery, argv []string, wait time.Duration) error {
	found, err := a.chooseWithin(ctx, q, wait)
	switch {
	case err != nil:
		return err
	case found.chosen == nil:
		a.sayRejected(q, found.Rejected)
		return errNo
	}
	var environ []string
	if a.Environ != nil {
		environ = a.Environ()
	}
	environ, key := found.environ(environ, found.all)
	if !key {
		a.sayNoKey(found.chosen, argv)
	}
	if err := a.ctx.Err(); err != nil { // ctrl-C, which nobody else has noticed
		return err
	}
	return a.exec("run", argv, environ)
}

// sayNoKey says that a program gets no key for a provider that has one, and what to do.
func (a *app) sayNoKey(c *chosen, argv []string) {
	told := c.told()
	switch {
	case told.KeyEnvGuessed:
		a.say("%s is for its vendor, and not for %s, so the program has no key for %s", told.KeyEnv, c.Endpoint, c.ID)
	case told.KeyEnv != "" && (c.Type == provider.Cloud || told.KeyInFile):
		a.say("%s is not set here, so the program has no key for %s", told.KeyEnv, c.ID)
		return
	case told.KeyInFile:
		a.say("the daemon keeps its key for %s in a file, and gives it to nobody, so the program has no key", c.ID)
	}
	if told.KeyInFile {
		a.say("hint: if you may read the file: providerctl run %s -- sh -c 'OPENAI_API_KEY=$(cat FILE) exec %s …'", provider.ShellWord(c.ID), provider.Printable(argv[0]))
	}
}

// chooseWithin is choose, but tries again once a second until it succeeds or the time is up.
// It ends early if no provider can become usable before somebody acts.
func (a *app) chooseWithin(ctx context.Context, q pickQuery, wait time.Duration) (choice, error) {
	if wait == 0 {
		return a.choose(ctx, q)
	}
	ctx = a.patient(ctx)
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	var last choice
	var failed error
	for {
		found, err := a.choose(limited, q)
		switch {
		case ctx.Err() != nil:
			return choice{}, ctx.Err()
		case err == nil:
			if last, failed = found, nil; found.chosen != nil || !a.mayBecomeUsable(limited, q) {
				return found, nil
			}
		case errors.Is(err, context.DeadlineExceeded) && last.Rejected != nil:
			return last, nil
		case errors.Is(err, context.DeadlineExceeded):
			return choice{}, cmp.Or(failed, error(provider.Errorf(provider.TimedOut, "see: providerctl health", "the daemon gave no answer within %v", wait)))
		case !mayReturn(err):
			return choice{}, err
		default:
			failed = err
		}
		if !pause(limited, probePace) {
			return last, cmp.Or(ctx.Err(), failed)
		}
	}
}

// mayBecomeUsable has the requested providers probed, and reports whether any of them can
// become usable without anybody acting.
func (a *app) mayBecomeUsable(ctx context.Context, q pickQuery) bool {
	if q.fleet {
		others, err := a.client.Fleet(ctx)
		if err != nil {
			return true
		}
		q.others = others
	}
	maxAge, wait := probePace, probePace
	reply, err := a.wanted(ctx, &q, client.StatusQuery{MaxAge: &maxAge, Wait: &wait})
	if err != nil {
		return true // nobody knows
	}
	usable := []provider.State{provider.StateRunning, provider.StateDegraded}
	return slices.ContainsFunc(reply.Providers, func(s provider.Status) bool {
		c := candidate{Status: s}
		unreachable, _ := c.unreachable()
		if isRemote(s.ID) && !reachesHere(s.Endpoint) {
			return false
		}
		return s.Type != provider.Generic && unreachable == "" && !needsPerson(s, usable, a.now())
	})
}
