package ctl

import (
	"errors"
	"slices"
	"strings"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

// rootCommand builds the command tree.
func (a *app) rootCommand() *command.Command {
	root := &command.Command{
		Use:   "providerctl",
		Short: "Ask providerd which AI model providers can be used now, and why others cannot",
		Long: `Ask providerd which AI model providers can be used now, and why others cannot.

The daemon's socket is --socket, else PROVIDERD_SOCKET, else the user's own
(in $XDG_RUNTIME_DIR, /run/user/UID or the temporary folder, or where the daemon
that holds the user's database says), else the system's
(` + client.SystemSocket() + `); for root the system's comes first.
Unless --socket names it, it must be in a folder that is yours, root's or the
system's, and you, root or the folder's owner must be listening on it.

Exit codes: 0 yes · 1 no or failed · 2 wrong usage · 3 daemon unreachable ·
4 denied · 5 no such provider · 6 timed out · 130 interrupted.`,
		Stdout:   a.data, // completion scripts and choices; help does its own spelling
		Stderr:   a.Stderr,
		Version:  a.versionLine, // --version prints what the command version does
		ASCII:    a.term.ascii,
		Columns:  a.term.width,
		BadFlag:  FlagError,
		NotFound: noSuchCommand,
		NoHelp:   noSuchTopic,
		Beside:   a.beside,
	}
	color := &ColorFlag{}
	color = AddColorFlag(root.PersistentFlags(), func() { a.paint(color) })
	a.paint(color)
	socket := root.PersistentFlags().StringVar(&a.client.Socket, "socket", "", "`path` of the control socket")
	socket.Complete = command.Offer(nil, command.OfferFiles)
	root.AddCommand(
		a.statusCommand(), a.pickCommand(), a.runCommand(), a.slotCommand(), a.exportCommand(), a.refreshCommand(), a.waitCommand(), a.isRunningCommand(),
		a.modelsCommand(), a.limitsCommand(), a.eventsCommand(), a.historyCommand(), a.diagnoseCommand(),
		a.discoverCommand(), a.doctorCommand(), a.pauseCommand(), a.resumeCommand(), a.startCommand(), a.stopCommand(), a.restartCommand(), a.reportCommand(), a.notifyCommand(), a.maintenanceCommand(), a.fleetCommand(), a.infoCommand(),
		a.reloadCommand(), a.logLevelCommand(), a.logsCommand(), a.backupCommand(), a.healthCommand(),
		a.versionCommand(),
	)
	root.AddBuiltin()
	return root
}

// noSuchCommand refuses a word that is not a command below parent.
func noSuchCommand(parent *command.Command, typed string) error {
	if parent.HasParent() && !parent.HasSubCommands() {
		return usage("usage: "+parent.UseLine(), "%s: unexpected argument %q", parent.Name(), typed)
	}
	what, names := "no such command", "see: "+parent.CommandPath()+" --help"
	if parent.Name() == "completion" {
		what, names = "completion: no such shell", "use one of: "+strings.Join(pathsBelow(parent), ", ")
	} else if ours := programOfOurs(typed); ours.name != "" && !parent.HasParent() {
		return usage(ours.howToGet(), "%s%s is not installed", besidePrefix, typed)
	} else if line := daemonCommand(strings.ToLower(typed)); line != "" {
		return usage("did you mean: "+line, "%s: %q", what, typed)
	}
	hint := CommandHint(typed, names, parent)
	if near := provider.Nearest(typed, daemonWords); hint == names && !parent.HasParent() && len(near) > 0 {
		hint = "did you mean: " + daemonCommand(near[0])
	}
	if near := nearestOfOurs(typed); hint == names && !parent.HasParent() && near != "" { // it is not installed
		hint = "did you mean: " + parent.Name() + " " + near
	}
	return usage(hint, "%s: %q", what, typed)
}

// noSuchTopic refuses help for a word that is not a command below parent.
func noSuchTopic(parent *command.Command, typed string) error {
	if parent.HasParent() && !parent.HasSubCommands() {
		return usage(HelpHint("did you mean: "+parent.CommandPath()), "help: %s has no command %q", parent.Name(), typed)
	}
	err := noSuchCommand(parent, typed)
	if e := new(provider.Error); errors.As(err, &e) {
		e.Hint = HelpHint(e.Hint)
	}
	return err
}

// args returns a check that there are between least and most arguments, none of them
// empty, with the command's own usage line as the hint. Most −1 means any number. If there
// is one too many, meant can suggest the flag that it was meant as.
func args(least, most int, meant ...func(extra string) string) func(*command.Command, []string) error {
	return func(cmd *command.Command, args []string) error {
		switch {
		case len(args) < least:
			return usage("usage: "+cmd.UseLine(), "%s: an argument is missing", cmd.Name())
		case most >= 0 && len(args) > most:
			hint := "usage: " + cmd.UseLine()
			for _, flag := range meant {
				if flag := flag(args[most]); flag != "" {
					hint = "did you mean: " + strings.Join(append([]string{cmd.CommandPath()}, args[:most]...), " ") + " " + flag
				}
			}
			return usage(hint, "%s: unexpected argument %q", cmd.Name(), args[most])
		case slices.Contains(args, ""):
			return usage("usage: "+cmd.UseLine(), "%s: an argument is empty", cmd.Name())
		}
		return nil
	}
}
