package ctl

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

const (
	formatID  = "id"
	formatEnv = "env"
	formatURL = "url"
)

func (a *app) pickCommand() *command.Command {
	q := newPickQuery()
	cmd := &command.Command{
		Use:        "pick [ID…]",
		Short:      "Print the one provider to use now; exit 1 with the reasons if there is none",
		SuggestFor: []string{"choose", "select", "use"},
		Long: `Print the one provider to use now, of all that serve models or of those named.

It decides by what the daemon already knows. It prints a provider that is RUNNING or, if
there is none, one that is degraded but usable: in doubt, slow, with an incident that
its vendor reports, or served by a user to whom the daemon does not send its key. Of
several equally good ones it prints

  local     a local one before a cloud one, in the configuration's order (default)
  fastest   the one with the lowest latency
  idle      the least busy one, as far as servers report their requests: an idle one, one
            with a free slot, one that does not report them, a busy one; of equally busy
            ones a local one
  order     the first, in the configuration's order or in that of the given IDs
            (default if there are any)

With --fleet it may also be a server of another machine, printed as gpu2/vllm, if that
machine gives an address that others can use. This machine's own are better, and a local
server of another machine is better than a cloud provider. How fast it is from here is
not known. Nothing is said about a key of its own: PROVIDERD_KEY_ENV is left out.

With --model, the provider must list that model, by its id or an alias; Ollama's NAME
means NAME:latest. A provider whose models are unknown is the last resort.

A provider that has used up a limit which is not reset yet is the last choice, since
requests will probably fail until then ("providerctl limits"). If every provider has, it prints
the one whose limit is reset first, and says so on standard error.

Providers with stale rows are probed only if no other is left. If none can be used, it
exits 1 and says why for each.

-o url prints the base URL for clients of OpenAI's API or, if the provider has no such
API, its endpoint. It skips a provider at a Unix socket, which has no URL, and one that
needs a user and password or a client certificate, which the daemon does not give away.

-o env prints variables for eval, env or systemd: PROVIDERD_PROVIDER, PROVIDERD_KIND,
PROVIDERD_ENDPOINT, OPENAI_BASE_URL (unless there is no such API, or only a socket), the
vendor's own (OLLAMA_HOST, ANTHROPIC_BASE_URL, …), and PROVIDERD_KEY_ENV, the name of the
variable that should hold the key. It never prints a key.`,
		Example: `  providerctl pick
  eval "$(providerctl pick ollama anthropic -o env)"
  providerctl pick --model qwen3:8b --prefer fastest -o url`,
		Args:     args(0, -1),
		Complete: a.completeIDs(-1),
	}
	out := outputFlag(cmd, formatID, formatJSON, formatEnv, formatURL)
	a.pickFlags(cmd, &q)
	cmd.Run = func(cmd *command.Command, ids []string) error {
		q.form = out.value
		if err := q.of(cmd, ids); err != nil {
			return err
		}
		return a.pick(cmd.Context(), q, out)
	}
	return a.answersYesOrNo(cmd)
}

// pickFlags gives a command the flags that say which provider is wanted.
func (a *app) pickFlags(cmd *command.Command, q *pickQuery) {
	flags := cmd.Flags()
	flags.StringVar(&q.model, "model", "", "only one that lists the model `NAME`").Complete = a.completeModels
	flags.BoolVar(&q.fleet, "fleet", false, "it may be a server of another machine of the fleet")
	flags.Var(q.prefer, "prefer", "which of several to take").Complete = command.Offer(q.prefer.allowed, command.NoFiles)
}

// of completes a query with the IDs and what the flags leave open.
func (q *pickQuery) of(cmd *command.Command, ids []string) error {
	q.ids = ids
	switch flags := cmd.Flags(); {
	case flags.Changed("model") && q.model == "":
		return usage("name one, or leave --model out", "%s: --model is empty", cmd.Name())
	case len(ids) > 0 && !flags.Changed("prefer"):
		q.prefer.value = preferOrder
	}
	return nil
}

// A pickQuery says which provider is wanted.
type pickQuery struct {
	ids    []string
	model  string
	prefer *format
	form   string // in which it is printed

	fleet  bool                 // it may be another machine's
	others *provider.FleetReply // nil unless fleet
	owners bool                 // whose key is whose must be known
	all    []provider.Status    // of this machine, if owners
}

func newPickQuery() pickQuery {
	return pickQuery{prefer: &format{value: preferLocal, allowed: []string{preferLocal, preferFastest, preferIdle, preferOrder}}}
}

// A choice is what pick found. It is its JSON output, too.
type choice struct {
	*chosen
	Rejected []rejected `json:"rejected"`

	all []provider.Status // of this machine, if the query asked for all
}

// A chosen is the provider to use.
type chosen struct {
	ID        string           `json:"id"`
	Kind      string           `json:"kind"`
	Type      provider.Type    `json:"type"`
	State     provider.State   `json:"state"`
	Reason    provider.Reason  `json:"reason"`
	Endpoint  string           `json:"endpoint"`
	BaseURL   string           `json:"base_url"` // for clients of OpenAI's API, where it has that; empty at a Unix socket
	Client    *provider.Client `json:"client,omitempty"`
	LatencyMS float64          `json:"latency_ms,omitempty"`
	Model     string           `json:"model,omitempty"`
	Why       string           `json:"why"`

	spent *provider.Limit // used up; nil: none is
}

// A rejected is one that cannot be used.
type rejected struct {
	ID     string          `json:"id"`
	State  provider.State  `json:"state"`
	Reason provider.Reason `json:"reason"`
	Why    string          `json:"why"`
	Hint   string          `json:"hint,omitempty"`
}

func (a *app) pick(ctx context.Context, q pickQuery, out *format) error {
	found, err := a.choose(ctx, q)
	if err != nil {
		return err
	}
	var answer error
	if found.chosen == nil {
		a.sayRejected(q, found.Rejected)
		answer = errNo
	} else if found.spent != nil {
		a.say("%s: %s; no other provider can be used now", found.ID, usedUp(found.spent))
	}
	switch {
	case out.json():
		body, err := json.Marshal(found)
		if err == nil {
			err = a.writeJSON(body)
		}
		return errors.Join(err, answer)
	case answer != nil:
		return answer
	case out.value == formatURL:
		return a.printData(found.BaseURL)
	case out.value == formatEnv:
		if found.told().OpenAIBaseURL == "" {
			a.say("%s: the daemon knows no address for clients of OpenAI's API, so %s is left out", found.ID, openAIVariable)
		}
		if needs := found.told().Needs; len(needs) > 0 {
			a.say("%s: %s", found.ID, needing(needs))
		}
		_, err := a.data.Write([]byte(strings.Join(found.environment(), "\n") + "\n"))
		return err
	}
	return a.printData(found.ID)
}

// choose finds the one to use among what is known and, when there is none, among
// those whose state was stale.
func (a *app) choose(ctx context.Context, q pickQuery) (choice, error) {
	if q.fleet {
		others, err := a.theFleet(ctx)
		if err != nil {
			return choice{}, err
		}
		q.others = others
	}
	reply, err := a.wanted(ctx, &q, client.StatusQuery{})
	if err != nil {
		return choice{}, err
	}
	found, err := a.chooseFrom(ctx, q, reply)
	if err != nil || found.chosen != nil || len(staleIDs(reply.Providers)) == 0 {
		return found, err
	}
	if reply, err = a.probeStale(ctx, &q, reply); err != nil {
		return choice{}, err
	}
	return a.chooseFrom(ctx, q, reply)
}

// probeStale has the stale rows of a reply probed, and returns a new reply.
func (a *app) probeStale(ctx context.Context, q *pickQuery, reply *provider.StatusReply) (*provider.StatusReply, error) {
	stale := staleIDs(reply.Providers)
	if len(stale) == 0 {
		return reply, nil
	}
	ctx = a.patient(ctx)
	young, wait := time.Second, probeWait // a probe that has just begun will do
	if _, err := a.client.Status(ctx, client.StatusQuery{IDs: fewOrAll(stale), MaxAge: &young, Wait: &wait}); err != nil {
		return nil, err
	}
	return a.wanted(ctx, q, client.StatusQuery{})
}

// staleIDs are those that a probe could tell more of.
func staleIDs(rows []provider.Status) (ids []string) {
	for _, s := range rows {
		if s.Stale && !s.Paused && s.Type != provider.Generic && !isRemote(s.ID) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// chooseFrom finds the one to use among rows.
func (a *app) chooseFrom(ctx context.Context, q pickQuery, reply *provider.StatusReply) (choice, error) {
	usable, no := sift(reply, q)
	found := choice{Rejected: append([]rejected{}, no...), all: q.all} // none is [] in JSON
	if q.model == "" {
		if len(usable) > 0 {
			found.chosen = usable[0].chosen(q, "")
		}
		return found, nil
	}
	var unlisted *candidate // the last resort
	for i := range usable {
		c := &usable[i]
		list, err := a.modelsOf(ctx, &q, c)
		switch {
		case err != nil:
			return found, err
		case provider.Lists(c.Kind, list.Models, q.model):
			found.chosen = c.chosen(q, "lists "+q.model)
			return found, nil
		case !list.CheckedAt.IsZero():
			hint := provider.DidYouMean(q.model, modelNames(list.Models), "--model ", "see: providerctl models "+c.ID)
			found.Rejected = append(found.Rejected, c.rejected("it does not list "+q.model, hint))
		case unlisted == nil:
			unlisted = c
		}
	}
	if unlisted != nil {
		found.chosen = unlisted.chosen(q, "its models are not known")
	}
	return found, nil
}

// modelNames are all names by which the models can be asked for.
func modelNames(models []provider.Model) (names []string) {
	for i := range models {
		names = append(append(names, models[i].ID), models[i].Aliases...)
	}
	return names
}

// sayRejected tells why there is none.
func (a *app) sayRejected(q pickQuery, no []rejected) {
	what := "no provider can be used now"
	if q.model != "" {
		what += " for " + q.model
	}
	a.say("%s", what)
	if len(no) == 0 {
		a.say("none that serves models is configured; see: providerctl info")
	}
	for _, r := range no {
		line := r.ID + ": " + r.Why
		if r.Hint != "" {
			line += "; " + r.Hint
		}
		a.say("%s", line)
	}
}

// position is where an id stands among those given.
func position(ids []string, id string) int { return max(0, slices.Index(ids, id)) }
