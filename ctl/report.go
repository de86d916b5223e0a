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

// failures are the words for a request without an answer.
var failures = []string{"timeout", "refused", "reset"}

func (a *app) reportCommand() *command.Command {
	var met provider.Report
	var file string
	cmd := &command.Command{
		Use:   "report ID",
		Short: "Report what happened to your own request: a rate limit, a rejected key, a timeout",
		Long: `Tell the daemon, and so all its clients, what happened to a request of your own.

Everybody may report. The provider is probed at once. Until a probe finds it healthy,
the row shows what was reported and by whom, for at most a minute and at most ten times
in any hour: a rate limit as its state, a timeout or a 5xx as a doubt. A rejected key or
an empty account concerns only you, and only causes the probe. The daemon accepts one
report a second from each user; further ones wait a few seconds for their turn.

An administrator's report counts for more. A definite one shows at once, with source
report: a rate limit, a rejected key, no money left. A doubtful one, a timeout or a 5xx,
counts as one doubtful probe. The provider is probed, and the result overrules the
report.

With an administrator's --retry-after, the daemon does not probe before that time (1s to
24h), and the report holds until then, even if a forced probe finds the provider healthy.
Only a report with another --retry-after changes that; --retry-after 1
takes back a mistake.

--retry-after takes the value of the header of that name, or a duration: 60, 1m30s,
"Wed, 21 Oct 2026 07:28:00 GMT". An empty value is ignored. --headers takes the headers
of the answer as curl -D or -i writes them, from a file or, with -, from standard input.
It sends only the status and the headers about limits (retry-after, x-ratelimit-…,
anthropic-ratelimit-…, date), which the daemon reads by the rules of its own probes. What
they say is left then shows in "providerctl limits", and pick avoids a provider that has
used up a limit. With such headers a success may be reported too: it changes nothing else.`,
		Example: `  providerctl report openai --status 429 --retry-after 60
  providerctl report ollama --error timeout
  curl -sS -D headers.txt -o answer.json … || providerctl report groq --headers headers.txt`,
		Args:     args(1, 1, asFailure),
		Complete: a.completeIDs(1),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	flags := cmd.Flags()
	flags.IntVar(&met.Status, "status", 0, "`CODE` of the answer: 401, 402, 403, 429 or 5xx")
	why := flags.StringVar(&met.Error, "error", "", "`WHY` there was no answer: "+strings.Join(failures, ", "))
	why.Complete = command.Offer(failures, command.NoFiles)
	flags.StringVar(&met.RetryAfter, "retry-after", "", "`WHEN` the provider may be asked again")
	headers := flags.StringVar(&file, "headers", "", "`FILE` with the headers of the answer; -: standard input")
	headers.Complete = command.Offer(nil, command.OfferFiles)
	cmd.Run = func(cmd *command.Command, ids []string) error {
		if flags.Changed("headers") {
			if err := a.readDump(file, &met); err != nil {
				return err
			}
		}
		if met.Error != "" && !slices.Contains(failures, met.Error) {
			return usage(provider.DidYouMean(met.Error, failures, "--error ", "use one of: "+strings.Join(failures, ", ")), "report: --error cannot be %q", met.Error)
		}
		if met.Status == 0 && met.Error == "" { // 000 is what curl says of no answer
			return usage("for example: --status 429, or --error timeout where no answer came", "report: say what happened")
		}
		return a.reportOn(cmd.Context(), ids[0], met, out)
	}
	return cmd
}

// asFailure is how what happened is given to report.
func asFailure(word string) string {
	if _, err := strconv.Atoi(word); err == nil {
		return "--status " + word
	}
	if near := provider.Nearest(word, failures); len(near) > 0 {
		return "--error " + near[0]
	}
	return ""
}

// The daemon takes one report a second from a user. A script that meets two limits in a
// row, or a user's several agents, should not have to know.
const (
	reportPace = time.Second
	mostTurns  = 10
)

// inTurn reports, and again as long as it is not this user's turn.
func (a *app) inTurn(ctx context.Context, report func(context.Context) error) error {
	for turn := 1; ; turn++ {
		err := report(ctx)
		if e := new(provider.Error); turn == mostTurns || !errors.As(err, &e) || e.Code != provider.TooMany {
			return err
		}
		if ctx = a.interruptible(true); !pause(ctx, reportPace) {
			return ctx.Err()
		}
	}
}

// backWithin is how soon a provider is probed again after a report was taken back.
const backWithin = 2 * time.Second

func (a *app) reportOn(ctx context.Context, id string, met provider.Report, out *format) error {
	if out.json() {
		req, err := client.ReportRequest(id, met)
		if err != nil {
			return err
		}
		return a.inTurn(ctx, func(ctx context.Context) error { return a.passThrough(ctx, req) })
	}
	var s *provider.Status
	if err := a.inTurn(ctx, func(ctx context.Context) (err error) {
		s, err = a.client.Report(ctx, id, met)
		return err
	}); err != nil {
		return err
	}
	line := s.ID + " is " + describe(*s)
	if doubt := doubtOf(s); doubt != nil {
		line += ", " + doubt.String()
	}
	if s.RetryAt.After(a.now()) {
		line += ", left alone until " + deadline(s.RetryAt)
		// A script knows what it says, and a second is what takes a report back.
		if a.term.shown && s.RetryAt.Sub(a.now()) > backWithin {
			a.say("hint: if that is wrong, take it back: providerctl report %s --status 429 --retry-after 1", s.ID)
		}
	}
	if h := s.Hearsay; h != nil && s.Reported == nil {
		line += hearsayLine(h, a.now())
	}
	if s.Paused {
		a.say("probing of %s is paused: it keeps its last state, and no more than the time is noted", s.ID)
	}
	return a.print(line)
}
