package ctl

import (
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// FleetLines shows all about a fleet on the full screen: this machine's part and what to do, the
// servers of the other machines, the members, and who probes what. Opts.Color is ignored.
func FleetLines(reply *provider.FleetReply, opts TableOptions) (lines []Line) {
	opts.Color, opts.Summary, opts.Sorted = false, false, true
	text := fleetText(reply, opts.Now, opts.Width, true)
	if reply.Hint != "" {
		text += "\n" + strings.Join(wrap("hint: "+provider.Printable(opts.spell(reply.Hint)), opts.Width), "\n") + "\n"
	}
	if rows := remoteRows(reply); len(rows) > 0 {
		servers := tableOf(rows, opts)
		text += "\n" + servers.text()
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		lines = append(lines, Line{Pieces: FitPieces([]Piece{{line, Plain}}, opts.Width, opts.ASCII)})
	}
	return lines
}
