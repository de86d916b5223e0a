package ctl

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) eventsCommand() *command.Command {
	var (
		q     client.EventsQuery
		since uint64
	)
	cmd := &command.Command{
		Use:        "events",
		Short:      "Show what changed, and with -f what changes",
		SuggestFor: []string{"watch", "changes"},
		Long: `Show the events that are kept, or those after number --since. With --follow it
shows those from now on, or from --since on, until ctrl-C or the daemon ends, and then
exits 0; no event is skipped and none is shown twice. Where the database was damaged,
it says which events are gone.`,
		Example: `  providerctl events --follow
  providerctl events --since 42 -o json`,
		Args: args(0, 0),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	cmd.Flags().BoolVarP(&q.Follow, "follow", "f", false, "go on as they happen")
	cmd.Flags().Uint64Var(&since, "since", 0, "only those after this number (seq)")
	cmd.Run = func(cmd *command.Command, _ []string) error {
		if cmd.Flags().Changed("since") {
			q.Since = &since
		}
		return a.events(a.interruptible(q.Follow), q, out)
	}
	return cmd
}

func (a *app) events(ctx context.Context, q client.EventsQuery, out *format) error {
	seq := uint64(0)
	note := func(w *bufio.Writer, n provider.StreamNote) {
		seq = n.Seq
		if n.Type == provider.NoteGap {
			a.tellGap(w, n, out)
		}
	}
	err := a.copyStream(ctx, q.Path(), q.Follow, note, func(w io.Writer, line []byte) error {
		var event provider.Event
		if err := json.Unmarshal(line, &event); err != nil {
			return fmt.Errorf("reading an event: %w", err)
		}
		seq = event.Seq
		if out.json() {
			return streamJSON(w, line)
		}
		_, err := io.WriteString(w, eventLine(event)+"\n")
		return err
	})
	var e *provider.Error
	if q.Follow && seq > 0 && errors.As(err, &e) {
		err = provider.Errorf(e.Code, "go on with: providerctl events --follow --since "+strconv.FormatUint(seq, 10), "%s", e.Message)
	}
	return a.endOf(err, q.Follow)
}

// tellGap says that events are gone, where they would have been. An error shows
// again at the next line.
func (a *app) tellGap(w *bufio.Writer, n provider.StreamNote, out *format) {
	if out.json() {
		if line, err := json.Marshal(n); err == nil {
			_ = streamJSON(w, line)
		}
	}
	_ = w.Flush()
	a.say("%s: gone, because the daemon's database was damaged", n.Gap())
}

// endOf says that the daemon ended a stream that was followed in good order,
// which is no failure: nothing is missing. Every other error stays one.
func (a *app) endOf(err error, follow bool) error {
	var e *provider.Error
	if !follow || !errors.As(err, &e) || e.Code != provider.ShuttingDownNow {
		return err
	}
	a.explain(e)
	return nil
}

// copyStream hands each line of a stream to write, and what write wrote to
// stdout: at once when following, else together. Ctrl-C is how following ends.
func (a *app) copyStream(ctx context.Context, path string, follow bool, note func(*bufio.Writer, provider.StreamNote), write func(io.Writer, []byte) error) error {
	w := bufio.NewWriter(a.Stdout)
	noted := func(n provider.StreamNote) {
		if note != nil {
			note(w, n)
		}
	}
	for line, err := range a.client.Stream(ctx, path, noted) {
		if err == nil {
			err = write(w, line)
		}
		if err == nil && follow {
			err = w.Flush()
		}
		if err != nil {
			if follow && ctx.Err() != nil {
				return nil
			}
			return errors.Join(w.Flush(), err)
		}
	}
	return w.Flush()
}

// streamJSON writes one line of NDJSON, in the values that came.
func streamJSON(w io.Writer, line []byte) error {
	_, err := fmt.Fprintf(w, "%s\n", provider.PrintableJSON(line))
	return err
}

// eventLine shows an event in one line.
func eventLine(e provider.Event) string {
	const ids, states = 12, 8 // columns that line up in the usual case
	line := stamp(e.Time) + gap + pad(provider.Printable(e.ID), ids) + gap +
		pad(provider.Printable(string(e.From)), states) + " → " + pad(provider.Printable(string(e.To)), states) + gap + provider.Printable(string(e.Reason))
	if e.LatencyMS > 0 {
		line += gap + latency(e.LatencyMS)
	}
	if story := storyOf(e.Doubt, e.Detail).String(); story != "" {
		line += gap + provider.Printable(story)
	}
	return line
}
