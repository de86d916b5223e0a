package top

import (
	"os"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

// Command is the program's command line.
func Command(s *ctl.Session) *command.Command {
	return &command.Command{
		Use:        "top",
		Short:      "Watch all providers on the full screen, and act on them",
		SuggestFor: []string{"htop", "ui", "tui", "monitor"},
		Long: `Watch all providers on the full screen, live: those that need you first, then those
that are failing, limited, starting, usable and stopped. If there is room, each has
its latencies as bars, and how much of the last 24 hours it was up.

Keys: j k, arrows, PgUp, PgDn, Home and End move. Enter opens the provider's card: its
last probe, layer by layer, its models and its history. / shows only rows with some
words. r probes the provider now, R all of them; d diagnoses it, p pauses or resumes
it, and w rings the bell when it can be used. s starts, x stops and X restarts its
unit, if it has one, as you and without a password. f shows the fleet. ? lists all
keys; q quits.

While the daemon is away, a banner says why and the rows are marked as stale. They are
live again as soon as it is back.

It needs a terminal that can move its cursor. Elsewhere, use: providerctl status --watch`,
		Example: "  providerctl top",
		Args:    ctl.Args(0, 0),
		Run: func(*command.Command, []string) error {
			t := s.Terminal()
			screen, err := NewScreen(t.Color)
			switch {
			case err != nil || !t.Shown:
				return provider.Errorf(provider.Usage, "use: providerctl status --watch", "top: stdin and stdout have to be a terminal")
			case !t.Moves:
				return provider.Errorf(provider.Usage, "use: providerctl status --watch", "top: this terminal (TERM=%s) cannot move its cursor", os.Getenv("TERM"))
			}
			return Run(s.Interruptible(), Options{
				Client: s.Client(), Color: t.Color, ASCII: t.ASCII, Screen: screen,
				Act: s.Act, Spell: s.Spell,
			})
		},
	}
}
