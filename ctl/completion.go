package ctl

import (
	"context"
	"slices"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

// completionPatience is how long a person who pressed Tab waits for the IDs of providers.
const completionPatience = 300 * time.Millisecond

// completeOneFile offers files for the first argument alone.
func completeOneFile(_ *command.Command, args []string, _ string) ([]string, command.Directive) {
	if len(args) > 0 {
		return nil, command.NoFiles
	}
	return nil, command.OfferFiles
}

// pathsBelow are the command lines of the commands below parent.
func pathsBelow(parent *command.Command) (paths []string) {
	for _, cmd := range parent.Commands() {
		paths = append(paths, cmd.CommandPath())
	}
	return paths
}

// completeIDs offers the providers of the running daemon, up to most of them on one
// command line; −1 means any number. It offers nothing if there is no daemon.
func (a *app) completeIDs(most int) command.CompletionFunc {
	return func(cmd *command.Command, args []string, _ string) ([]string, command.Directive) {
		if most >= 0 && len(args) >= most {
			return nil, command.NoFiles
		}
		var ids []string
		rows := a.knownRows(cmd.Context())
		if cmd.Flags().Changed("fleet") && cmd.Name() != "refresh" { // which is of shared providers
			rows = append(rows, a.knownRemote(cmd.Context())...)
		}
		for _, s := range rows {
			if slices.Contains(args, s.ID) { // it is named already
				continue
			}
			ids = append(ids, command.Described(s.ID, string(s.State)))
		}
		return ids, command.NoFiles
	}
}

// completeModels offers the models, by all their names, of the providers on the command
// line, or of all. It offers those that the daemon lists in time.
func (a *app) completeModels(cmd *command.Command, args []string, _ string) ([]string, command.Directive) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionPatience)
	defer cancel()
	c := *a.client
	c.DialPatience, c.Passed = -1, nil
	reply, err := c.Status(ctx, client.StatusQuery{IDs: args})
	if err != nil {
		return nil, command.NoFiles
	}
	var names []string
	for _, s := range reply.Providers {
		if s.Type == provider.Generic || s.ModelsCount != nil && *s.ModelsCount == 0 {
			continue
		}
		list, err := c.Models(ctx, s.ID)
		if err != nil {
			continue
		}
		for _, name := range modelNames(list.Models) {
			names = append(names, command.Described(name, s.ID))
		}
	}
	return names, command.NoFiles
}

// completeStates offers the states that a list with commas does not have yet.
func completeStates(_ *command.Command, _ []string, typed string) ([]string, command.Directive) {
	return offerList(stateNames(), typed), command.NoFiles
}

// completeKinds offers the kinds of the running daemon's providers, for a list with
// commas.
func (a *app) completeKinds(cmd *command.Command, _ []string, typed string) ([]string, command.Directive) {
	rows := a.knownRows(cmd.Context())
	return offerList(valuesOf(rows, func(s *provider.Status) string { return s.Kind }), typed), command.NoFiles
}

// knownRemote are the rows of other machines' servers, as knownRows.
func (a *app) knownRemote(ctx context.Context) []provider.Status {
	ctx, cancel := context.WithTimeout(ctx, completionPatience)
	defer cancel()
	c := *a.client
	c.DialPatience, c.Passed = -1, nil
	reply, err := c.Fleet(ctx)
	if err != nil {
		return nil
	}
	return remoteRows(reply)
}

// knownRows are the rows of the running daemon. There are none if there is no daemon, or
// if it takes longer than a person who pressed Tab waits.
func (a *app) knownRows(ctx context.Context) []provider.Status {
	ctx, cancel := context.WithTimeout(ctx, completionPatience)
	defer cancel()
	c := *a.client
	c.DialPatience, c.Passed = -1, nil
	reply, err := c.Status(ctx, client.StatusQuery{})
	if err != nil {
		return nil
	}
	return reply.Providers
}
