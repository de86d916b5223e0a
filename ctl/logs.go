package ctl

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) logsCommand() *command.Command {
	var q client.LogQuery
	cmd := &command.Command{
		Use:        "logs",
		Short:      "Show the daemon's log, and with -f follow it",
		SuggestFor: []string{"tail"},
		Long: `Show the latest lines of the daemon's log. With --follow it continues until ctrl-C,
which exits 0, or until its reader is gone. When the daemon restarts, it continues with
the new log. See log-level for how much the daemon logs.`,
		Example: `  providerctl logs -f
  providerctl logs -n 20`,
		Args: args(0, 0),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	flags := cmd.Flags()
	flags.BoolVarP(&q.Follow, "follow", "f", false, "show new lines as they are written")
	flags.IntVarP(&q.Lines, "lines", "n", 100, "show the latest `N` lines")
	cmd.Run = func(cmd *command.Command, _ []string) error {
		switch {
		case q.Lines < 0:
			return usage("give a number such as 20", "logs: --lines is negative")
		case q.Lines == 0:
			q.Lines = client.NoLines
		case !flags.Changed("lines"):
			q.Lines = 0 // the daemon's own number
		}
		l := &logFollower{vigil: vigil{app: a}, query: q, out: out, from: a.now()}
		if !q.Follow {
			return l.first(a.interruptible(false))
		}
		ctx, stop := a.following()
		defer stop()
		return l.keep(ctx, l.follow)
	}
	return cmd
}

// A logFollower remembers how far the log has been followed.
type logFollower struct {
	vigil
	query client.LogQuery
	out   *format
	from  time.Time // when it began
	last  []byte    // the line that was shown last
}

// follow shows the log of one daemon until that ends.
func (l *logFollower) follow(ctx context.Context) error {
	if l.begun {
		return l.again(ctx)
	}
	if _, err := l.app.client.Daemon(ctx); err != nil {
		return err
	}
	l.begun = true
	if err := l.first(ctx); err != nil {
		return err
	}
	return errLogEnded
}

// errLogEnded is the end of a followed log without a reason.
var errLogEnded = provider.Errorf(provider.DaemonUnreachable, "", "the daemon ended the stream of its log")

// first shows what was asked for.
func (l *logFollower) first(ctx context.Context) error {
	w := bufio.NewWriter(l.app.stdout(l.out))
	for line, err := range l.app.client.Stream(ctx, l.query.Path(), func(provider.StreamNote) { l.alive() }) {
		if err == nil {
			l.alive()
			err = l.write(w, line)
		}
		if err == nil && l.query.Follow {
			err = w.Flush()
		}
		if err != nil {
			return errors.Join(w.Flush(), err)
		}
	}
	return w.Flush()
}

// again continues after the line shown last. If the daemon is another one, whose log does
// not have that line, it shows all of its log.
func (l *logFollower) again(ctx context.Context) error {
	all := client.LogQuery{Lines: keptLines}
	var kept [][]byte
	for line, err := range l.app.client.Stream(ctx, all.Path(), nil) {
		if err != nil {
			return err
		}
		kept = append(kept, bytes.Clone(line))
	}
	for _, line := range linesAfter(kept, l.last, l.from) {
		if err := l.write(l.app.stdout(l.out), line); err != nil {
			return err
		}
	}
	// The stream begins with the same lines again, and any that came meanwhile.
	known := overlap{}
	if len(kept) > 0 {
		known.until = kept[len(kept)-1]
	}
	all.Follow = true
	for line, err := range l.app.client.Stream(ctx, all.Path(), func(provider.StreamNote) { l.alive() }) {
		if err != nil {
			return err
		}
		l.alive()
		for _, line := range known.pass(line) {
			if err := l.write(l.app.stdout(l.out), line); err != nil {
				return err
			}
		}
	}
	return errLogEnded
}

// write shows a line.
func (l *logFollower) write(w io.Writer, line []byte) error {
	l.last = append(l.last[:0], line...)
	if l.out.json() {
		_, err := fmt.Fprintf(w, "%s\n", provider.PrintableJSON(line))
		return err
	}
	var read provider.LogLine
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber() // a generation has more digits than a float holds
	if err := d.Decode(&read); err != nil {
		return fmt.Errorf("reading a line of the log: %w", err)
	}
	_, err := io.WriteString(w, logLine(read)+"\n")
	return err
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
