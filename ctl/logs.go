package ctl

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) logsCommand() *command.Command {
	var q client.LogQuery
	cmd := &command.Command{
		Use:        "logs",
		Short:      "Show the daemon's log, and with -f go on",
		SuggestFor: []string{"tail"},
		Long: `Show the latest lines of the daemon's log. With --follow it goes on until
ctrl-C or the daemon ends, and then exits 0. See log-level for how much the daemon logs.`,
		Example: `  providerctl logs -f
  providerctl logs -n 20`,
		Args: args(0, 0),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	cmd.Flags().BoolVarP(&q.Follow, "follow", "f", false, "go on as it is written")
	cmd.Flags().IntVarP(&q.Lines, "lines", "n", 0, "how many of the latest lines (default 100)")
	cmd.Run = func(cmd *command.Command, _ []string) error {
		if q.Lines < 0 {
			return usage("give a number such as 20", "logs: --lines is negative")
		}
		err := a.copyStream(a.interruptible(q.Follow), q.Path(), q.Follow, nil, func(w io.Writer, line []byte) error {
			if out.json() {
				return streamJSON(w, line)
			}
			var l provider.LogLine
			if err := json.Unmarshal(line, &l); err != nil {
				return fmt.Errorf("reading a line of the log: %w", err)
			}
			_, err := io.WriteString(w, logLine(l)+"\n")
			return err
		})
		return a.endOf(err, q.Follow)
	}
	return cmd
}

// logLine shows a line of the log as the daemon shows it on a terminal.
func logLine(l provider.LogLine) string {
	const levels = 5
	var b strings.Builder
	b.WriteString(l.Time.Local().Format("2006-01-02 15:04:05.000"))
	b.WriteString(" " + pad("["+strings.ToUpper(provider.Printable(l.Level))+"]", levels+2) + " " + provider.Printable(l.Message))
	for i, key := range slices.Sorted(maps.Keys(l.Fields)) {
		if i == 0 {
			b.WriteByte(':')
		}
		value := fmt.Sprint(l.Fields[key])
		if value == "" || strings.ContainsAny(value, " \"=\n") {
			value = strconv.Quote(value)
		}
		b.WriteString(" " + provider.Printable(key) + "=" + provider.Printable(value))
	}
	return b.String()
}
