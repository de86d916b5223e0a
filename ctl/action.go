package ctl

import (
	"os"

	"golang.org/x/term"

	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/ctl/units"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) startCommand() *command.Command {
	return a.actionCommand(units.Start, "Start a local server that systemd runs, and wait until it is usable",
		`and wait until the provider
is usable. If the unit fails, or keeps failing, it says so at once with the last lines
of its journal, as far as you may read them. It exits 6 if the provider is not usable
in time.`)
}

func (a *app) stopCommand() *command.Command {
	return a.actionCommand(units.Stop, "Stop a local server that systemd runs, and wait until it is down",
		`and wait until the provider
is down. It exits 6 if something still answers when the time is up.`)
}

func (a *app) restartCommand() *command.Command {
	return a.actionCommand(units.Restart, "Restart a local server that systemd runs, and wait until it is usable",
		`and wait until the provider
is usable again. It ends and reports as start does.`)
}

func (a *app) actionCommand(verb units.Verb, short, long string) *command.Command {
	act := Action{Verb: verb}
	var noPassword bool
	cmd := &command.Command{
		Use:   string(verb) + " ID",
		Short: short,
		Long: "Ask systemd, as you, to " + string(verb) + " the unit of a provider, " + long + `

The provider needs a unit in the configuration: unit = "ollama.service", and bus =
"user" for a unit of your own. A provider of kind systemd has one. The daemon itself
starts and stops nothing. Systemd decides whether you may, and polkit can ask for a
password on a terminal. What you do is in the events, with your uid.`,
		Example:  "  providerctl " + string(verb) + " ollama\n  providerctl " + string(verb) + " ollama --timeout 5m",
		Args:     actionArgs,
		Complete: a.completeIDs(1),
	}
	flags := cmd.Flags()
	flags.DurationVar(&act.Timeout, "timeout", ActionTimeout, "how long it may take in all")
	flags.BoolVar(&noPassword, "no-ask-password", false, "never ask for a password")
	cmd.Run = func(_ *command.Command, words []string) error {
		if act.Timeout <= 0 {
			return usage("give a duration such as 60s", "%s: --timeout must be positive", verb)
		}
		if in, ok := a.Stdin.(*os.File); ok && !noPassword && term.IsTerminal(int(in.Fd())) {
			act.Terminal = in
		}
		act.ID = words[0]
		report, err := a.act(a.interruptible(true), act)
		return a.reportAction(report, err)
	}
	return cmd
}

// reportAction prints what there is to tell of an action. The error is printed last.
func (a *app) reportAction(report *ActionReport, err error) error {
	for _, line := range report.Warnings {
		a.say("systemctl: %s", line)
	}
	if title := report.JournalTitle(); title != "" {
		a.say("%s", title)
	}
	for _, line := range report.Journal {
		a.say("  %s", provider.Printable(line))
	}
	if err != nil || report.Result == "" {
		return err
	}
	return a.print(report.Result)
}

// actionArgs requires an ID. Without one, the daemon itself may be meant.
func actionArgs(cmd *command.Command, words []string) error {
	if len(words) == 0 {
		return usage("usage: "+cmd.UseLine()+"; or for the daemon itself: providerd service "+cmd.Name(), "%s: an argument is missing", cmd.Name())
	}
	return args(1, 1)(cmd, words)
}
