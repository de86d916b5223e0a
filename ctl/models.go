package ctl

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) modelsCommand() *cobra.Command {
	var loaded bool
	cmd := &cobra.Command{
		Use:   "models [ID]",
		Short: "List the models that a provider offers",
		Long: `List the models that a provider offers, or those of every provider. With -o json
and no ID it prints one reply a line.`,
		Example: `  providerctl models ollama
  providerctl models --loaded`,
		Args:              args(0, 1),
		ValidArgsFunction: a.completeIDs(1),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	cmd.Flags().BoolVar(&loaded, "loaded", false, "only those that are in memory")
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		ids, err := a.idsOr(cmd.Context(), ids)
		if err != nil {
			return err
		}
		var rows [][]string
		var unknown []string
		for _, id := range ids {
			reply, err := a.listModels(cmd.Context(), id, loaded, out)
			if err != nil {
				return err
			}
			if reply.CheckedAt.IsZero() && len(reply.Models) == 0 {
				unknown = append(unknown, id)
			}
			for _, m := range reply.Models {
				rows = append(rows, modelRow(id, m))
			}
		}
		if out.json() {
			return nil
		}
		if len(unknown) > 0 {
			a.say("no list is known of: %s", strings.Join(unknown, ", "))
		}
		if len(rows) == 0 {
			if len(unknown) < len(ids) {
				a.say("no models")
			}
			return nil
		}
		return writeGrid(a.Stdout, a.term.width(), []string{"PROVIDER", "MODEL", "LOADED", "SIZE", "FAMILY", "QUANT", "CONTEXT"}, rows)
	}
	return cmd
}

// idsOr returns the ids that were named or, when none was, every one there is.
func (a *app) idsOr(ctx context.Context, ids []string) ([]string, error) {
	if len(ids) > 0 {
		return ids, nil
	}
	reply, err := a.client.Status(ctx, client.StatusQuery{})
	if err != nil {
		return nil, err
	}
	for _, s := range reply.Providers {
		ids = append(ids, s.ID)
	}
	return ids, nil
}

// listModels asks for a provider's models and, for JSON, prints the reply: as
// it came or, when only loaded ones are wanted, without the others.
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
		kept := []provider.Model{}
		for _, m := range reply.Models {
			if m.Loaded != nil && *m.Loaded {
				kept = append(kept, m)
			}
		}
		reply.Models = kept
		if body, err = json.Marshal(reply); err != nil {
			return nil, err
		}
	}
	if out.json() {
		err = a.writeJSON(bytes.TrimSpace(body))
	}
	return &reply, err
}

func modelRow(id string, m provider.Model) []string {
	loaded, context := unknown, unknown
	if m.Loaded != nil {
		loaded = "no"
		if *m.Loaded {
			loaded = "yes"
		}
	}
	if m.ContextLength > 0 {
		context = strconv.FormatInt(m.ContextLength, 10)
	}
	return []string{printable(id), printable(m.ID), loaded, size(m.Size), or(printable(m.Family)), or(printable(m.Quantization)), context}
}
