package ctl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// watchPace is how often a table on the screen is redrawn without a change, to keep its
// ages right.
const watchPace = time.Second

// watch shows the status, and again after every change, until ctx ends. It outlives the
// daemon and continues with the next one.
func (a *app) watch(ctx context.Context, wanted *statusView) (err error) {
	v := &view{statusView: wanted, app: a, display: &lines{app: a, wanted: wanted}}
	if v.pace = 0; a.term.moves && !wanted.out.data() {
		v.pace, v.display = watchPace, newScreenView(ctx, a, wanted)
	}
	defer func() { err = errors.Join(v.display.end(), err) }()
	for {
		err := v.follow(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case !v.begun || !mayReturn(err):
			return err
		case !v.lost:
			v.lost = true
			v.display.away(err)
		}
		pause(ctx, firstRetry)
	}
}

// firstRetry is the time between attempts if a daemon accepts and ends at once.
const firstRetry = 200 * time.Millisecond

// A view is what is shown of the status, and where.
type view struct {
	*statusView
	app     *app
	display display
	pace    time.Duration // between checks without a change; 0: there are none
	begun   bool          // something has been shown
	shown   []sight       // the rows as last shown
	lost    bool          // the daemon is away, which has been reported
}

// A display is where a status is shown.
type display interface {
	show(body *statusBody, all []provider.Status) error // all: what the body's were selected from
	away(err error)                                     // the daemon is away, but may return
	end() error
}

// A sight is the part of a row whose change is shown.
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

// follow shows the status and its changes while one daemon answers.
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
	if v.pace > 0 {
		ticker := time.NewTicker(v.pace)
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

// changes signals each event of the providers shown, and each heartbeat. Several at once
// are one signal. It returns why the stream of events ended.
func (v *view) changes(ctx context.Context, since uint64, changed, idle chan<- struct{}) error {
	note := func(n provider.StreamNote) {
		switch n.Type {
		case provider.NoteHeartbeat:
			wake(idle)
		case provider.NoteGap: // whatever happened is in the status
			wake(changed)
		}
	}
	for event, err := range v.app.client.Events(ctx, client.EventsQuery{Since: &since, Follow: true, Note: note}) {
		if err != nil {
			return err
		}
		if len(v.query.IDs) > 0 && !slices.Contains(v.query.IDs, event.ID) {
			continue
		}
		wake(changed)
	}
	return provider.Errorf(provider.DaemonUnreachable, "", "the daemon ended the stream of events")
}

// wake fills the channel, which holds one signal.
func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// show asks for the status and shows it: always, or only if it differs from what was
// shown. It returns the number of the last event that is in it.
func (v *view) show(ctx context.Context, always bool) (seq uint64, err error) {
	body, all, err := v.app.ask(ctx, v.statusView)
	if err != nil {
		return 0, err
	}
	last := v.shown
	v.shown = sights(body.Providers)
	if !always && slices.Equal(v.shown, last) {
		return body.Seq, nil
	}
	err = v.display.show(body, all)
	v.begun, v.lost = true, false
	return body.Seq, err
}

// lines prints one status after the other.
type lines struct {
	app    *app
	wanted *statusView
	begun  bool
}

func (l *lines) show(body *statusBody, all []provider.Status) error {
	again := l.begun
	l.begun = true
	switch {
	case l.wanted.out.json():
		var line bytes.Buffer
		if err := json.Compact(&line, body.raw); err != nil {
			return err
		}
		return l.app.writeLine(line.Bytes())
	case l.wanted.out.data():
		if _, err := io.WriteString(l.app.data, "---\n"); err != nil {
			return err
		}
		return l.app.writeData(body.raw, l.wanted.out)
	}
	if len(body.Providers) == 0 {
		l.app.sayNothing(l.wanted, all)
		return nil
	}
	if again {
		if err := l.app.writeLine(nil); err != nil {
			return err
		}
	}
	return WriteTable(l.app.Stdout, body.StatusReply, l.app.optionsOf(l.wanted, &body.StatusReply, len(all)))
}

func (l *lines) away(err error) { l.app.say("%v; waiting for the daemon to return", err) }
func (l *lines) end() error     { return nil }
