package ctl

import (
	"bytes"
	"cmp"
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

func (a *app) modelsCommand() *command.Command {
	var loaded, refresh bool
	cmd := &command.Command{
		Use:        "models [ID…]",
		Short:      "List the models that providers offer",
		SuggestFor: []string{"tags", "list"},
		Long: `List the models that all providers offer, or those named. What is not known is shown
as -, and providers whose list is not known are named on standard error.
` + globHelp + `

The daemon reads the lists about once a minute; --refresh makes it read them now.
A provider that has not been probed yet is probed first.

It exits 1 if there is no model to show. With -o json and several IDs, or none, it
prints the reply of each provider on a line of its own.`,
		Example: `  providerctl models ollama --refresh
  providerctl models --loaded`,
		Args:     args(0, -1),
		Complete: a.completeIDs(-1),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	cmd.Flags().BoolVar(&loaded, "loaded", false, "only models that are in memory")
	cmd.Flags().BoolVar(&refresh, "refresh", false, "probe first, to list the models as of now")
	cmd.Run = func(_ *command.Command, words []string) error {
		var ids []string // none: all
		if len(words) > 0 {
			var err error
			if ids, err = a.named(a.interruptible(refresh), words); err != nil {
				return err
			}
		}
		find := a.known
		if refresh {
			find = a.refreshed
		}
		providers, err := find(a.interruptible(refresh), ids)
		if providers == nil {
			return err
		}
		return errors.Join(a.models(a.interruptible(false), providers, !single(words), loaded, out), err)
	}
	return a.answersYesOrNo(cmd)
}

// known returns the rows of those named, or of all. A provider that has not been probed
// since the daemon started has no list yet, and is probed first.
func (a *app) known(ctx context.Context, ids []string) ([]provider.Status, error) {
	query := client.StatusQuery{IDs: fewOrAll(ids)}
	reply, err := a.client.Status(ctx, query)
	if err != nil {
		return nil, err
	}
	var unasked []string
	for _, s := range reply.Providers {
		if notAsked(s) && !s.Paused && (len(ids) == 0 || slices.Contains(ids, s.ID)) {
			unasked = append(unasked, s.ID)
		}
	}
	if len(unasked) > 0 {
		ctx = a.interruptible(true)
		now, wait := time.Second, probeWait // a probe that has just begun is enough
		if _, err := a.client.Status(ctx, client.StatusQuery{IDs: fewOrAll(unasked), MaxAge: &now, Wait: &wait}); err != nil {
			return nil, err
		}
		reply, err = a.client.Status(ctx, query)
	}
	if err != nil || len(ids) == 0 {
		return rowsIn(reply), err
	}
	return inOrder(reply.Providers, ids), nil
}

// fewOrAll is none, which means all, if there are more IDs of up to 64 bytes than fit
// into a URL.
func fewOrAll(ids []string) []string {
	const few = 200
	if len(ids) > few {
		return nil
	}
	return ids
}

func notAsked(s provider.Status) bool {
	return s.Source == provider.FromRestored || s.Reason == provider.NotChecked
}

// refreshed refreshes those named, or all, and returns their rows. If that takes too long,
// it returns what there is and the error.
func (a *app) refreshed(ctx context.Context, ids []string) ([]provider.Status, error) {
	reply, err := a.client.Refresh(ctx, client.RefreshQuery{IDs: ids, Wait: probeWait})
	if reply == nil {
		return nil, err
	}
	a.saySkipped(reply.Skipped)
	return reply.Providers, err
}

// oldList is the age from which a list is called old. The daemon reads the lists of
// providers that are up about once a minute.
const oldList = 3 * time.Minute

// models shows the lists of the providers, and names those that have none.
func (a *app) models(ctx context.Context, providers []provider.Status, merged, loaded bool, out *format) error {
	table := modelTable{merged: merged}
	var silent absences
	for _, s := range providers {
		reply, err := a.listModels(ctx, s.ID, loaded, out)
		if err != nil {
			return err
		}
		why := noList(s, reply)
		switch age := a.now().Sub(reply.CheckedAt.Time); {
		case why != "":
			silent.add(s.ID, why)
		case age > oldList:
			a.say("the list of %s is %s old: the provider is %s", s.ID, span(age), describe(s))
		}
		for _, m := range reply.Models {
			table.rows = append(table.rows, listed{s.ID, m})
		}
	}
	for _, why := range silent.reasons {
		a.say("no list of models for %s: %s", strings.Join(silent.ids[why], ", "), why)
	}
	if len(silent.reasons) > 0 && !merged && providers[0].Hint != "" && providers[0].Type != provider.Generic {
		a.say("hint: %s", providers[0].Hint)
	}
	switch {
	case len(table.rows) > 0 && out.json():
		return nil
	case len(table.rows) > 0:
		return table.write(a.Stdout, a.term.width())
	case loaded:
		a.say("no model is known to be in memory")
	case len(silent.reasons) == 0:
		a.say("no model is listed")
	}
	return errNo
}

// listModels asks for a provider's models and, for JSON, prints the reply: as it came or,
// if only loaded models are wanted, without the others.
func (a *app) listModels(ctx context.Context, id string, loaded bool, out *format) (*provider.ModelsReply, error) {
	body, err := a.client.Do(ctx, client.Request{Path: client.ProviderPath(id, "models")})
	if err != nil {
		return nil, err
	}
	var reply provider.ModelsReply
	if err := json.Unmarshal(body, &reply); err != nil {
		return nil, provider.Errorf(provider.Internal, "compare providerctl version with providerctl info", "reading the models of %s: %v", id, err)
	}
	if loaded {
		reply.Models = slices.DeleteFunc(reply.Models, func(m provider.Model) bool { return m.Loaded == nil || !*m.Loaded })
		if body, err = json.Marshal(reply); err != nil {
			return nil, err
		}
	}
	if out.json() {
		err = a.writeJSON(bytes.TrimSpace(body))
	}
	return &reply, err
}

// absences are providers without a list, by the reason for it.
type absences struct {
	reasons []string
	ids     map[string][]string
}

func (n *absences) add(id, why string) {
	if n.ids == nil {
		n.ids = map[string][]string{}
	}
	if n.ids[why] == nil {
		n.reasons = append(n.reasons, why)
	}
	n.ids[why] = append(n.ids[why], id)
}

// noList is why a provider's list is not known; empty if it is known.
func noList(s provider.Status, reply *provider.ModelsReply) string {
	switch {
	case !reply.CheckedAt.IsZero():
		return ""
	case s.Type == provider.Generic:
		return "a kind without models"
	case s.Paused:
		return "probing is paused"
	case notAsked(s):
		return "not asked yet"
	case s.Reason == provider.ScopeLimited:
		return "the key may not list models"
	case s.State == provider.StateRunning:
		return "up, but it did not list them"
	}
	return cmp.Or(string(s.State), "UNKNOWN") + " (" + string(s.Reason) + ")"
}
