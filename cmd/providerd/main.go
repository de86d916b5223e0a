// Command providerd is the daemon. This package reads flags and signals, and wires the
// parts; it decides nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/term"
	"google.golang.org/grpc/grpclog"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/systemd"
	"github.com/providerd/providerd/store/provider"
)

// version is set by the packages' build; Go records that of a build from source.
var version = ""

func main() {
	// Linux gives a signal for the process to its first thread, even if that waits for a file
	// system that hangs, and to no other. Files are read in other goroutines, so that one waits
	// for nothing that can hang.
	runtime.LockOSThread()
	// net/http prints bytes that a server sent without a request, which can be anything;
	// gRPC prints why it closes a connection.
	log.SetOutput(io.Discard)
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
	cmd := newCommand()
	cmd.Stdout = provider.NewTextWriter(os.Stdout)
	cmd.ASCII = ctl.ASCIIWanted(os.Getenv, term.IsTerminal(int(os.Stdout.Fd())))
	cmd.Columns = columns
	cmd.Stderr = provider.NewTextWriter(ctl.TalkTo(os.Stderr, ctl.ASCIIWanted(os.Getenv, term.IsTerminal(int(os.Stderr.Fd())))))
	if err := cmd.Execute(context.Background(), os.Args[1:]); err != nil {
		if errors.Is(err, errNo) {
			os.Exit(1)
		}
		said := make(chan struct{})
		go func() {
			defer close(said)
			complain(cmd.Err(), err.Error())
			if hint := provider.HintOf(err); !strings.Contains(err.Error(), hint) { // the error may have it already
				complain(cmd.Err(), lead(hint)+hint)
			}
		}()
		select {
		case <-said:
		case <-time.After(sayWithin): // nobody reads it, or the disk does not respond
		}
		var u usageError
		if errors.As(err, &u) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

// columns is the width of the screen; 0 if there is none.
func columns() int {
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// sayWithin is how long writing the last message may take.
const sayWithin = 300 * time.Millisecond

// lead is what to put before a hint: "try: " before a command, nothing before a question
// or a reference.
func lead(hint string) string {
	for _, itself := range []string{"did you mean: ", "see: ", "try "} {
		if strings.HasPrefix(hint, itself) {
			return ""
		}
	}
	return "try: "
}

// complain prints an error for people, or for the journal with its level on each line.
func complain(to io.Writer, text string) {
	text = "providerd: " + provider.PrintableLines(text)
	if systemd.IsJournal(os.Stderr) {
		text = "<3>" + strings.ReplaceAll(text, "\n", "\n<3>")
	}
	fmt.Fprintln(to, text)
}

// flags are the command line's, which override the file.
type flags struct {
	config, socket, stateDir, logLevel string
	insecure                           folderList
	logJSON, system                    bool
	color                              *ctl.ColorFlag
}

func newCommand() *command.Command {
	var f flags
	cmd := &command.Command{
		Use:   "providerd",
		Short: "Know which AI model providers can be used now, and why others cannot",
		Long: `providerd probes AI model providers on a schedule, keeps what it learns, and
answers over a Unix socket. It runs in the foreground until SIGTERM or ctrl-C;
SIGHUP makes it read the configuration again. Query it with providerctl.`,
		Version:  versionLine, // --version prints what the command version does
		BadFlag:  flagError,
		NotFound: noSuchCommand,
		NoHelp:   noSuchTopic,
		Run: func(cmd *command.Command, _ []string) error {
			return run(cmd.Context(), f, cmd.PersistentFlags().Changed("log-json"))
		},
	}
	p := cmd.PersistentFlags()
	p.StringVar(&f.config, "config", "", "configuration `file` (default: the system's or the user's providerd.toml)").Complete = completeTOML
	p.StringVar(&f.socket, "socket", "", "`path` of the control socket").Complete = command.Offer(nil, command.OfferFiles)
	p.StringVar(&f.stateDir, "state-dir", "", "`folder` of the database").Complete = command.Offer(nil, command.OfferFolders)
	p.Var(&f.insecure, "insecure-folder", "accept this `folder` above the socket or database although everybody can write in it (repeatable)").Complete = command.Offer(nil, command.OfferFolders)
	p.BoolVar(&f.system, "system", false, "run as the system's daemon, with its paths, without being root")
	p.Var((*levelFlag)(&f.logLevel), "log-level", "how much to log, whatever the configuration says").Complete = command.Offer(config.LogLevels(), command.NoFiles)
	p.BoolVar(&f.logJSON, "log-json", false, "log JSON (default: if standard error is neither a terminal nor the journal)")
	f.color = ctl.AddColorFlag(p, nil)
	cmd.AddCommand(newConfigCommand(&f), newServiceCommand(&f), newFleetCommand(&f), newVersionCommand())
	cmd.AddBuiltin()
	return cmd
}

func newVersionCommand() *command.Command {
	return &command.Command{
		Use: "version", Short: "Print the version", Args: noArguments,
		Run: func(cmd *command.Command, _ []string) error {
			_, err := io.WriteString(cmd.Out(), versionLine()+"\n")
			return err
		},
	}
}

// versionLine has the same form as providerctl's.
func versionLine() string {
	return fmt.Sprintf("providerd %s (%s, %s/%s)", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// buildVersion is the packages' version, or the one that Go recorded.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// A usageError is the caller's mistake; its hint is what to type instead.
type usageError struct{ message, hint string }

func (e usageError) Error() string { return e.message }

// Hint is what to type next.
func (e usageError) Hint() string { return e.hint }

func noArguments(cmd *command.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Sprintf("unexpected argument: %q", args[0]), cmd.CommandPath() + " --help"}
	}
	return nil
}
