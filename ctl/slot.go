package ctl

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl/command"
)

// The variables that tell a program which slot it holds.
const (
	slotVariable         = "PROVIDERD_SLOT"
	slotProviderVariable = "PROVIDERD_SLOT_PROVIDER"
)

func (a *app) slotCommand() *command.Command {
	var wait time.Duration
	cmd := &command.Command{
		Use:        "slot [ID] [-- CMD [ARG…]]",
		Short:      "Run a program while it holds a slot of a provider",
		SuggestFor: []string{"slots", "limit", "semaphore", "flock"},
		Long: `Take one of the provider's slots, and replace providerctl by CMD, so that exit code,
signals, standard input and output are CMD's own. The configuration says how many slots
there are (slots), and how far apart programs begin (slot_gap). With --wait it waits for
a free slot; nobody gets one while the provider cannot be used. Users who wait take turns.

The slot is free when CMD has ended, however it ends. A program that CMD leaves running
keeps the slot, unless it closes the files that it inherited. CMD's environment has the
slot's number, from 1, in PROVIDERD_SLOT, and the ID in PROVIDERD_SLOT_PROVIDER.

Without CMD it shows how many slots are used, since when and by which users, and who waits,
in the order of their turns. Without an ID it shows the slots of all providers, and exits 1
if none has any.

It exits with CMD's exit code; with 127 if there is no such program, with 126 if it
cannot be run, with 6 if the wait is over, and with 1 if no slot is free.`,
		Example: `  providerctl slot openai --wait 30s -- ./ask "a question"
  ls *.txt | xargs -P 20 -I{} providerctl slot openai --wait 10m -- ./summarize {}`,
		Args:     a.slotArgs,
		Complete: a.completeSlot,
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	cmd.Flags().DurationVar(&wait, "wait", 0, "how long to wait for a slot, at most 10m")
	cmd.Run = func(cmd *command.Command, words []string) error {
		switch {
		case wait < 0:
			return usage("give a duration such as 30s", "slot: --wait is negative")
		case len(words) == 0:
			return a.listSlots(cmd.Context(), out)
		case cmd.Dash() < 0:
			return a.showSlots(cmd.Context(), words[0], out)
		case cmd.Flags().Changed("output"):
			return usage("leave -o out, or the program", "slot: -o is for what slot shows without a program")
		}
		return a.runInSlot(words[0], words[1:], wait)
	}
	return cmd
}

// slotArgs requires an ID and a program if there is a "--".
func (a *app) slotArgs(cmd *command.Command, words []string) error {
	dash := cmd.Dash()
	switch {
	case dash < 0 && len(words) == 0:
	case dash == 0 || words[0] == "":
		return usage("usage: "+cmd.UseLine(), "slot: the ID is missing")
	case dash < 0 && len(words) > 1:
		return usage("write -- before the program: "+cmd.CommandPath()+" "+typed(slices.Insert(slices.Clone(words), 1, "--")), "slot: there is no -- before the program")
	case dash > 1:
		return usage("usage: "+cmd.UseLine(), "slot: more than one ID")
	case dash == len(words):
		return usage("usage: "+cmd.UseLine(), "slot: the program is missing")
	}
	return nil
}

// completeSlot offers an ID before "--", and files after it.
func (a *app) completeSlot(cmd *command.Command, words []string, word string) ([]string, command.Directive) {
	if cmd.Dash() >= 0 {
		return nil, command.OfferFiles
	}
	return a.completeIDs(1)(cmd, words, word)
}

func (a *app) runInSlot(id string, argv []string, wait time.Duration) error {
	ctx := a.interruptible(wait > 0)
	held, err := a.client.HoldSlot(ctx, id, wait)
	if err != nil {
		return err
	}
	defer held.Close()
	if err := held.Inherit(); err != nil {
		return fmt.Errorf("slot: keep the connection: %w", err)
	}
	var environ []string
	if a.Environ != nil {
		environ = a.Environ()
	}
	environ = slices.DeleteFunc(slices.Clone(environ), func(line string) bool { // of an outer slot
		return strings.HasPrefix(line, slotVariable+"=") || strings.HasPrefix(line, slotProviderVariable+"=")
	})
	environ = append(environ, slotVariable+"="+strconv.Itoa(held.Slot.Slot), slotProviderVariable+"="+held.ProviderID)
	if err := ctx.Err(); err != nil { // ctrl-C, which nobody else has noticed
		return err
	}
	return a.exec("slot", argv, environ)
}
