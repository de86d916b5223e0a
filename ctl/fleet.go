package ctl

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) fleetCommand() *command.Command {
	cmd := &command.Command{
		Use:        "fleet",
		Short:      "Show the machines that share probes with this one",
		SuggestFor: []string{"members", "machines", "nodes", "cluster"},
		Long: `Show this machine's part in its fleet, and the other members: their versions, how long a
change takes to reach them, and what they probe for this machine. -o wide also shows who
probes each shared provider, and why the others are not shared.

It shows what the daemon already knows, and exits 0 also if this machine is cut off from
the others, or in no fleet. "providerctl status --fleet" shows the servers of all
machines.`,
		Example: `  providerctl fleet
  providerctl fleet -o wide
  providerctl fleet -o json | jq -r .mode`,
		Args: args(0, 0),
	}
	out := outputFlag(cmd, formatTable, formatWide, formatJSON, formatYAML)
	cmd.Run = func(cmd *command.Command, _ []string) error {
		if out.data() {
			return a.passThroughAs(cmd.Context(), client.Request{Path: client.FleetPath}, out)
		}
		reply, err := a.client.Fleet(cmd.Context())
		if err != nil {
			return err
		}
		if reply.Mode == provider.FleetOff {
			a.sayNoFleet(reply)
			return nil
		}
		return a.writeFleet(reply, out.value == formatWide)
	}
	return cmd
}

// sayNoFleet says that there is no fleet, and what to do.
func (a *app) sayNoFleet(reply *provider.FleetReply) {
	a.explain(&provider.Error{Message: FleetLine(reply, a.now()), Hint: reply.Hint})
}

// writeFleet prints what is known of a fleet.
func (a *app) writeFleet(reply *provider.FleetReply, wide bool) error {
	_, err := io.WriteString(a.Stdout, fleetText(reply, reply.TS.Local(), a.term.width(), wide))
	if reply.Hint != "" {
		a.say("hint: %s", reply.Hint)
	}
	return err
}

// fleetText is a line about this machine, and below it the members. A wide one has the providers,
// too.
func fleetText(reply *provider.FleetReply, now time.Time, width int, wide bool) string {
	parts := []string{strings.Join(wrap(provider.Printable(FleetLine(reply, now)), width), "\n") + "\n"}
	members := fleetGrid(FleetMemberTitles, reply.Members, FleetMemberCells)
	members.drop("LAG")
	members.drop("FOR THIS MACHINE")
	shared := fleetGrid(FleetSharedTitles, reply.Shared, FleetSharedCells)
	shared.drop("NOTE")
	not := fleetGrid([]string{"NOT SHARED", "WHY"}, reply.NotShared, func(u *provider.FleetUnshared) []string { return []string{u.ID, u.Why} })
	grids := []*grid{members}
	if wide {
		grids = append(grids, shared, not)
	}
	for _, g := range grids {
		if len(g.rows) > 0 {
			parts = append(parts, g.fitted(width, []string{"OWN CHECKS", "SINCE", "LAG", "MEMBERS", "PROBES", "AGE", "VERSION"}))
		}
	}
	remarks := ""
	for _, remark := range FleetRemarks(reply, now) {
		remarks += strings.Join(wrap(provider.Printable(remark), width), "\n") + "\n"
	}
	if remarks != "" {
		parts = append(parts, remarks)
	}
	return strings.Join(parts, "\n")
}

func fleetGrid[T any](titles []string, rows []T, cells func(*T) []string) *grid {
	g := &grid{titles: append([]string(nil), titles...), right: make([]bool, len(titles))}
	for i := range rows {
		line := cells(&rows[i])
		for j := range line {
			line[j] = provider.Printable(line[j])
		}
		g.rows = append(g.rows, line)
	}
	return g
}

// fitted is a table that fits: its widest columns are cut, then those that matter least are left
// out, in that order.
func (g *grid) fitted(width int, spare []string) string {
	for {
		widths := g.widths()
		if squeeze(widths, width, func(int) int { return 10 }) {
			return g.text(widths)
		}
		if len(spare) == 0 {
			squeeze(widths, width, func(int) int { return 1 })
			return g.text(widths)
		}
		g.remove(spare[0])
		spare = spare[1:]
	}
}

// theFleet returns the fleet for a command with --fleet. If there is none, or this machine is
// cut off, it says so: the command then does as much as it can.
func (a *app) theFleet(ctx context.Context) (*provider.FleetReply, error) {
	reply, err := a.client.Fleet(ctx)
	if err == nil && reply.Mode != provider.FleetOK && !a.saidNoFleet.Swap(true) { // once, however often a command asks
		a.sayNoFleet(reply)
	}
	return reply, err
}
