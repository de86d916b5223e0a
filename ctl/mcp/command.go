// Package mcp is providerctl-mcp: the daemon's answers as tools and a resource of the Model
// Context Protocol, for agents. It speaks on its standard input and output, and asks the
// daemon as the user who runs it.
//
// A tool is a file with what it takes, what it answers, and how it says that in words.
// Answers are small, because a model pays for each byte: fit leaves out what does not fit,
// and says how much that is. What goes wrong is an answer of the tool, with what to do
// next, and not an error of the protocol: a model sees only the former.
package mcp

import (
	"os"
	"runtime/debug"

	"golang.org/x/term"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/command"
)

// memory is what the garbage collector aims at. A client starts one such program for each
// session, so it should stay small.
const memory = 12 << 20

// Command is the program's command line.
func Command(s *ctl.Session) *command.Command {
	return &command.Command{
		Use:   "mcp",
		Short: "Offer the providers' status to an agent, over the Model Context Protocol",
		Long: `Offer the providers' status to an agent, over the Model Context Protocol (MCP) on
standard input and output. Agents start this program themselves, once it is in their
configuration.

Its tools:

  provider_status    which providers can be used, and why the others cannot
  pick_provider      the one provider to use now
  wait_for_provider  wait up to 60 seconds until one can be used
  list_models        the models that providers offer
  diagnose_provider  probe a provider now, and say what is wrong with it
  report_failure     report what a request of the agent's own met

The resource providerd://status is the status of all providers. Its subscribers are
notified when it changes.

Answers have less than 1 kB, and never a key. The daemon may be away, or restart: the
tools say so, and work again when it is back. The program ends when its standard input
does.`,
		Example: `  claude mcp add providerd -- providerctl mcp
  codex mcp add providerd -- providerctl mcp`,
		Args: ctl.Args(0, 0),
		Run: func(*command.Command, []string) error {
			debug.SetGCPercent(50)
			debug.SetMemoryLimit(memory)
			if in, ok := s.Stdin().(*os.File); ok && term.IsTerminal(int(in.Fd())) {
				s.Say("an agent runs this, and talks to it in JSON-RPC; to end it: ctrl-D")
			}
			ctx, stop := s.Following()
			defer stop()
			return Serve(ctx, s, s.Stdin(), s.Bytes())
		},
	}
}
