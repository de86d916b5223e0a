package ctl

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// watchPace is how often a table on the screen is drawn anew without a change,
// so that its ages go on.
const watchPace = time.Second

// watch shows the status, and again after every change, until ctx ends. It
// outlives the daemon and goes on with the next one.
func (a *app) watch(ctx context.Context, wanted *statusView) error {
	v := &view{app: a, statusView: wanted}
	for {
		err := v.follow(ctx)
		switch {
		case ctx.Err() != nil:
			return v.end()
		case !v.begun || !mayReturn(err):
			return err
		case !v.lost:
			v.lost = true
			v.drawn = 0 // the words below stay on the screen
			a.say("%v; waiting for the daemon to return", err)
		}
		pause(ctx, firstRetry)
	}
}

// firstRetry spaces attempts to reach a daemon that accepts and ends at once.
const firstRetry = 200 * time.Millisecond

// A view is what is shown of the status, and where.
type view struct {
	*statusView
	app   *app
	begun bool    // something has been shown
	shown []sight // the rows that were shown last, or looked at and were the same
	lost  bool    // the daemon is away, and that has been said
	drawn int     // lines on the screen to draw over
}

// A sight is what of a row is news when it is another.
type sight struct {
	id, endpoint string
	state        provider.State
	reason       provider.Reason
	doubt        provider.Reason // what was seen since; empty: there is none
}

func sights(rows []provider.Status) []sight {
	var all []sight
	for _, s := range rows {
		seen := sight{id: s.ID, endpoint: s.Endpoint, state: s.State, reason: s.Reason}
		if doubt := doubtOf(&s); doubt != nil {
			seen.doubt = doubt.Saw
		}
		all = append(all, seen)
	}
	return all
}

// follow shows the status and its changes for as long as one daemon answers.
func (v *view) follow(ctx context.Context) error {
	seq, err := v.show(ctx, true)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	changed, idle := make(chan struct{}, 1), make(chan struct{}, 1)
	ended := make(chan error, 1)
	go func() { ended <- v.changes(ctx, seq, changed, idle) }()
	stop := func() { cancel(); <-ended }

	var tick <-chan time.Time
	if v.inPlace() {
		ticker := time.NewTicker(watchPace)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		always := true
		select {
		case err := <-ended:
			cancel()
			return err
		case <-changed:
		case <-idle: // a reload adds and removes providers without an event
			always = false
		case <-tick:
		}
		if _, err := v.show(ctx, always); err != nil {
			stop()
			return err
		}
	}
}

// changes signals each event of the providers shown, and each heartbeat; several
// that come at once are one signal. It returns why the stream of events ended.
func (v *view) changes(ctx context.Context, since uint64, changed, idle chan<- struct{}) error {
	note := func(n provider.StreamNote) {
		switch n.Type {
		case provider.NoteHeartbeat:
			signal(idle)
		case provider.NoteGap: // whatever happened is in the status
			signal(changed)
		}
	}
	for event, err := range v.app.client.Events(ctx, client.EventsQuery{Since: &since, Follow: true, Note: note}) {
		if err != nil {
			return err
		}
		if len(v.query.IDs) > 0 && !slices.Contains(v.query.IDs, event.ID) {
			continue
		}
		signal(changed)
	}
	return provider.Errorf(provider.DaemonUnreachable, "", "the daemon ended the stream of events")
}

// signal makes sure that the channel, which holds one, holds one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// show asks for the status and shows it: always, or only when it is another than
// what was shown. It returns the number of the last event that is in it.
func (v *view) show(ctx context.Context, always bool) (seq uint64, err error) {
	body, all, err := v.app.ask(ctx, v.statusView)
	if err != nil {
		return 0, err
	}
	reply := body.StatusReply
	last := v.shown
	v.shown = sights(reply.Providers)
	if !always && slices.Equal(v.shown, last) {
		return reply.Seq, nil
	}
	switch {
	case v.out.json():
		var line bytes.Buffer
		if err = json.Compact(&line, body.raw); err == nil {
			err = v.app.writeLine(line.Bytes())
		}
	case v.out.data():
		if _, err = io.WriteString(v.app.Stdout, "---\n"); err == nil {
			err = v.app.writeData(body.raw, v.out)
		}
	case v.inPlace():
		err = v.draw(&reply, len(all))
	default:
		if v.begun {
			err = v.app.writeLine(nil)
		}
		if err == nil {
			err = WriteTable(v.app.Stdout, reply, v.options(&reply, len(all)))
		}
	}
	v.begun, v.lost = true, false
	return reply.Seq, err
}

// options are those of a table that takes the whole screen.
func (v *view) options(reply *provider.StatusReply, outOf int) TableOptions {
	opts := v.app.tableOptions(v.out, reply.TS)
	opts.NoHeaders, opts.Strict = v.noHeaders, v.inPlace()
	if v.sel.filters() || len(v.sel.globs) > 0 {
		opts.OutOf = outOf
	}
	return opts
}

// inPlace reports whether a new table takes the place of the last one.
func (v *view) inPlace() bool { return v.app.term.moves && !v.out.data() }

// draw writes the table over the last one, cut to what the screen can show.
func (v *view) draw(reply *provider.StatusReply, outOf int) error {
	var table bytes.Buffer
	t := v.app.term
	if err := WriteTable(&table, *reply, v.options(reply, outOf)); err != nil {
		return err
	}
	lines := bytes.SplitAfter(bytes.TrimSuffix(table.Bytes(), []byte("\n")), []byte("\n"))
	if height := t.height(); height > 0 { // else it is not known
		lines = lines[:min(len(lines), max(1, height-1))]
	}
	const (
		clearLine  = "\x1b[K"
		clearBelow = "\x1b[J"
	)
	var screen bytes.Buffer
	if v.drawn > 0 {
		fmt.Fprintf(&screen, "\x1b[%dA\r", v.drawn)
	}
	for _, line := range lines {
		screen.Write(v.app.screen.Clean(bytes.TrimSuffix(line, []byte("\n"))))
		screen.WriteString(clearLine + "\n")
	}
	screen.WriteString(clearBelow)
	v.drawn = len(lines)
	_, err := v.app.bytes.Write(screen.Bytes()) // with what moves the cursor
	return err
}

// end leaves the screen so that the prompt stands on a line of its own.
func (v *view) end() error {
	if !v.inPlace() {
		return nil
	}
	return v.app.writeLine(nil)
}
