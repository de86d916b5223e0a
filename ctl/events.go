package ctl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

func (a *app) eventsCommand() *command.Command {
	var follow bool
	w := eventsWanted{last: -1}
	cmd := &command.Command{
		Use:        "events [ID…]",
		Short:      "Show past changes, and with -f new ones",
		SuggestFor: []string{"watch", "changes"},
		Long: `Show past events of all providers, or of those named.
` + globHelp + `
Events with the id host are about this machine, and so affect every remote provider.

` + sinceHelp + `

With --follow it shows new events, after those from --since or the last --lines, until
ctrl-C, which exits 0, or until its reader is gone. It continues when the daemon
restarts: no event is skipped or shown twice. If events are missing, because the
database was damaged or replaced or they are no longer kept, it says which.`,
		Example: `  providerctl events --follow
  providerctl events ollama 'gpu*' --since 1h
  providerctl events -n 20 -f
  providerctl events --since 42 -o json`,
		Args:     args(0, -1),
		Complete: a.completeIDs(-1),
	}
	out := outputFlag(cmd, formatTable, formatWide, formatJSON)
	flags := cmd.Flags()
	flags.BoolVarP(&follow, "follow", "f", false, "show new events as they happen")
	from := a.sinceFlag(cmd, "only events since `WHEN`")
	flags.IntVarP(&w.last, "lines", "n", 0, "only the latest `N` events; with --follow, start with them")
	cmd.Run = func(cmd *command.Command, ids []string) error {
		if err := from.check(cmd); err != nil {
			return err
		}
		switch {
		case !flags.Changed("lines"):
			w.last = -1 // all
		case w.last < 0:
			return usage("give a number such as 20", "events: --lines is negative")
		}
		w.ids, w.since = ids, from.since
		shown := &eventWriter{app: a, out: out}
		if follow {
			ctx, stop := a.following()
			defer stop()
			return a.followEvents(ctx, w, shown)
		}
		return a.keptEvents(a.interruptible(false), w, shown)
	}
	return cmd
}

// keptEvents shows the past events.
func (a *app) keptEvents(ctx context.Context, w eventsWanted, shown *eventWriter) error {
	kept, err := a.collectEvents(ctx, w.since.from())
	if err == nil {
		if err := a.mustKnow(ctx, w, kept); err != nil {
			return err
		}
	}
	return errors.Join(shown.write(w.among(kept)), err)
}

// collectEvents reads the past events, all or those after a number. With an error it
// returns those that came before it.
func (a *app) collectEvents(ctx context.Context, after *uint64) (kept []told, err error) {
	q := client.EventsQuery{Since: after}
	note := func(n provider.StreamNote) {
		if n.Type == provider.NoteGap {
			kept = append(kept, told{gap: &n})
		}
	}
	for line, err := range a.client.Stream(ctx, q.Path(), note) {
		if err != nil {
			return kept, err
		}
		t, err := tell(line)
		if err != nil {
			return kept, err
		}
		t.raw = slices.Clone(t.raw)
		kept = append(kept, t)
	}
	return kept, nil
}

// tell parses a line of the stream of events.
func tell(line []byte) (told, error) {
	t := told{raw: line}
	if err := json.Unmarshal(line, &t.Event); err != nil {
		return t, fmt.Errorf("reading an event: %w", err)
	}
	return t, nil
}

// mustKnow refuses an ID that no provider and no event has.
func (a *app) mustKnow(ctx context.Context, w eventsWanted, kept []told) error {
	strange := slices.DeleteFunc(slices.Clone(w.ids), func(id string) bool {
		return id == provider.HostID || slices.ContainsFunc(kept, func(t told) bool { return t.gap == nil && concerns(id, &t.Event) })
	})
	if len(strange) == 0 {
		return nil
	}
	reply, err := a.client.Status(ctx, client.StatusQuery{})
	if err != nil {
		return err
	}
	_, err = match(strange, idsOf(reply.Providers))
	return err
}

// followEvents shows events as they happen.
func (a *app) followEvents(ctx context.Context, w eventsWanted, shown *eventWriter) error {
	f := &eventFollower{vigil: vigil{app: a}, wanted: w, shown: shown}
	err := f.keep(ctx, f.follow)
	var e *provider.Error
	if f.began && errors.As(err, &e) {
		err = provider.Errorf(e.Code, "continue with: providerctl events --follow --since "+strconv.FormatUint(f.seq, 10), "%s", e.Message)
	}
	return err
}

// An eventFollower remembers how far the events have been followed.
type eventFollower struct {
	vigil
	wanted eventsWanted
	shown  *eventWriter
	began  bool
	seq    uint64         // of the last event
	last   provider.Event // that event if it was seen, else only its latest possible time
}

// follow shows the events of one daemon until it ends.
func (f *eventFollower) follow(ctx context.Context) error {
	if !f.began {
		if err := f.begin(ctx); err != nil {
			return err
		}
	}
	err := f.stream(ctx)
	var e *provider.Error
	if !errors.As(err, &e) || e.Code != provider.EventsGone {
		return err
	}
	if err := f.rejoin(ctx); err != nil {
		return err
	}
	return f.stream(ctx)
}

// begin shows the past events, and finds out where to continue.
func (f *eventFollower) begin(ctx context.Context) error {
	info, err := f.app.client.Daemon(ctx) // first, so that no event is missed
	if err != nil {
		return err
	}
	var kept []told
	if f.wanted.past() {
		if kept, err = f.app.collectEvents(ctx, f.wanted.since.from()); err != nil {
			return errors.Join(f.shown.write(f.wanted.among(kept)), err)
		}
	}
	if err := f.app.mustKnow(ctx, f.wanted, kept); err != nil {
		return err
	}
	f.seq, f.last.Time = info.Seq, provider.Time{Time: f.app.now()}
	f.passed(kept)
	f.began, f.begun = true, true
	return f.shown.write(f.wanted.among(kept))
}

// passed remembers that the events were received.
func (f *eventFollower) passed(events []told) {
	for _, t := range events {
		switch {
		case t.gap != nil:
			f.seq = t.gap.Seq
		default:
			f.seq, f.last = t.Seq, t.Event
		}
	}
}

// stream shows what comes after the last event.
func (f *eventFollower) stream(ctx context.Context) error {
	note := func(n provider.StreamNote) {
		f.alive()
		if n.Type == provider.NoteGap {
			gap := []told{{gap: &n}}
			f.passed(gap)
			_ = f.shown.write(gap) // an error shows again at the next line
		}
	}
	q := client.EventsQuery{Since: &f.seq, Follow: true}
	for line, err := range f.app.client.Stream(ctx, q.Path(), note) {
		if err != nil {
			return err
		}
		f.alive()
		t, err := tell(line)
		if err != nil {
			return err
		}
		f.passed([]told{t})
		if !f.wanted.means(&t.Event) {
			continue
		}
		if err := f.shown.write([]told{t}); err != nil {
			return err
		}
	}
	return provider.Errorf(provider.DaemonUnreachable, "", "the daemon ended the stream of events")
}

// rejoin continues when the old numbers mean nothing any more: the database is another or
// an older one, or so much has happened meanwhile that not all of it is kept. Later
// events that are kept are shown.
func (f *eventFollower) rejoin(ctx context.Context) error {
	info, err := f.app.client.Daemon(ctx)
	if err != nil {
		return err
	}
	kept, err := f.app.collectEvents(ctx, nil)
	if err != nil {
		return err
	}
	more := afterEvent(kept, &f.last)
	gap := provider.StreamNote{Type: provider.NoteGap, Reason: string(provider.EventsGone), Seq: info.Seq}
	if len(more) > 0 && more[0].gap == nil {
		gap.Seq = more[0].Seq - 1
	}
	gap.First = min(f.seq+1, gap.Seq)
	f.app.say("the daemon no longer has the events after %d: its database was replaced, or they are no longer kept", f.seq)
	err = f.shown.write(append([]told{{gap: &gap, said: true}}, f.wanted.among(more)...))
	f.seq = info.Seq
	f.passed(kept)
	return err
}

// An eventWriter shows events on stdout.
type eventWriter struct {
	app    *app
	out    *format
	layout eventLayout // of the events before
}

// write shows events and gaps in one write.
func (w *eventWriter) write(events []told) error {
	w.layout.width, w.layout.now = w.app.term.width(), w.app.now()
	w.layout.wide, w.layout.color, w.layout.ascii = w.out.value == formatWide, w.app.term.color, w.app.term.ascii
	w.layout.alignTo(eventsOf(events))
	var text []byte
	flush := func() (err error) {
		if len(text) > 0 {
			_, err = w.app.stdout(w.out).Write(text)
			text = nil
		}
		return err
	}
	for _, t := range events {
		switch {
		case t.gap == nil && w.out.json():
			text = append(append(text, provider.PrintableJSON(t.raw)...), '\n')
		case t.gap == nil:
			text = append(text, w.layout.line(&t.Event)+"\n"...)
		default:
			if line, err := json.Marshal(t.gap); err == nil && w.out.json() {
				text = append(append(text, provider.PrintableJSON(line)...), '\n')
			}
			if err := flush(); err != nil {
				return err
			}
			if !t.said {
				w.app.say("%s: gone, because the daemon's database was damaged", t.gap.Gap())
			}
		}
	}
	return flush()
}
