package top

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/gdamore/tcell/v3"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/client"
)

// A program owns the screen.
type program struct {
	Options
	model    *model
	follower *follower
	messages chan any
	tones    map[ctl.Tone]tcell.Style

	tasks sync.WaitGroup
	shown []frameLine // what the screen shows
	ended bool
}

// failed is the error that ended the follower, or a panic of another goroutine.
type failed struct {
	err   error
	panic any // with its stack; nil if there is none
}

// tickPace is how often the screen is drawn to move its clock.
const tickPace = time.Second

// run shows the screen until it ends.
func (p *program) run(ctx context.Context) (err error) {
	p.follower = newFollower(p.Client, p.send)
	p.tones = styles(p.Color)
	if err := p.Screen.Init(); err != nil {
		return fmt.Errorf("taking the screen: %w", err)
	}
	defer p.tasks.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer p.Screen.Fini() // even in a panic, so that its text can be read
	p.task(ctx, func() {
		if err := p.follower.run(ctx); err != nil {
			p.send(ctx, failed{err: err})
		}
	})
	return p.loop(ctx)
}

// loop handles what happens, one thing after the other. It draws the screen when nothing more
// is waiting.
func (p *program) loop(ctx context.Context) error {
	signals, stop := ctl.ScreenEvents()
	defer stop()
	tick := time.NewTicker(tickPace)
	defer tick.Stop()
	events := p.Screen.EventQ()
	p.draw()
	for !p.ended {
		var what any
		select {
		case <-ctx.Done():
			return nil
		case event, open := <-events:
			if what = event; !open {
				return nil
			}
		case what = <-p.messages:
		case what = <-signals:
		case <-tick.C:
			what = clockTicked{}
		}
		if err := p.take(ctx, what); err != nil {
			return err
		}
		if !p.ended && len(events) == 0 && len(p.messages) == 0 {
			p.draw()
		}
	}
	return nil
}

// take handles one thing that happened.
func (p *program) take(ctx context.Context, what any) error {
	switch w := what.(type) {
	case failed:
		if w.panic != nil {
			panic(w.panic)
		}
		return w.err
	case *tcell.EventError: // the terminal is gone
		p.ended = true
		return nil
	case *tcell.EventResize:
		width, height := w.Size()
		p.shown = nil
		what = sizeChanged{width, height}
	case *tcell.EventKey:
		if what = keyOf(w); what == key("") {
			return nil
		}
	case tcell.Event:
		return nil
	case ctl.ScreenEvent:
		p.signalled(ctx, w)
		return nil
	}
	for _, e := range p.model.update(what) {
		p.do(ctx, e)
	}
	return nil
}

// do carries out an effect.
func (p *program) do(ctx context.Context, e effect) {
	switch e := e.(type) {
	case quit:
		p.ended = true
	case suspend:
		p.suspend(ctx)
	case redraw:
		p.redraw()
	case ring:
		_ = p.Screen.Beep()
	case askRefresh:
		p.call(ctx, func(c *client.Client) any {
			reply, err := c.Refresh(ctx, client.RefreshQuery{IDs: e.ids})
			return refreshBegan{e.ids, reply, err}
		})
	case askPause:
		p.call(ctx, func(c *client.Client) any {
			change := c.Resume
			if e.to {
				change = c.Pause
			}
			row, err := change(ctx, e.id)
			return pauseEnded{e.id, e.to, row, err}
		})
	case askAct:
		p.call(ctx, func(*client.Client) any {
			report, err := p.Act(ctx, ctl.Action{ID: e.id, Verb: e.verb, Timeout: ctl.ActionTimeout, Step: func(text string) {
				p.send(ctx, actStepped{e.id, text})
			}})
			return actEnded{e, report, err}
		})
	case askDiagnose:
		p.call(ctx, func(c *client.Client) any {
			const wait = 15 * time.Second // like providerctl diagnose
			reply, err := c.Diagnose(ctx, client.DiagnoseQuery{ID: e.id, Wait: wait})
			return diagnoseEnded{e.id, reply, err}
		})
	case askFleet:
		p.call(ctx, func(c *client.Client) any {
			reply, err := c.Fleet(ctx)
			return fleetCame{reply, err}
		})
	case askCard:
		p.call(ctx, func(c *client.Client) any { return readCard(ctx, c, e.id) })
	}
}

// readCard reads what a card shows in addition to the row.
func readCard(ctx context.Context, c *client.Client, id string) cardCame {
	came := cardCame{id: id}
	keep := func(err error) {
		if came.err == nil {
			came.err = err
		}
	}
	var err error
	came.parts.Diagnostics, err = c.Diagnostics(ctx, id)
	keep(err)
	came.parts.Models, err = c.Models(ctx, id)
	keep(err)
	came.parts.History, err = ctl.CardHistory(ctx, c, id)
	keep(err)
	came.parts.Slots, _ = c.Slots(ctx, id) // most have none, which is an error
	return came
}

// call calls the daemon, and sends the model the reply.
func (p *program) call(ctx context.Context, f func(*client.Client) any) {
	p.task(ctx, func() { p.send(ctx, f(p.Client)) })
}

// task runs f. A panic in it ends the program, but only after the screen is restored.
func (p *program) task(ctx context.Context, f func()) {
	p.tasks.Go(func() {
		defer func() {
			if reason := recover(); reason != nil {
				p.send(ctx, failed{panic: fmt.Sprintf("%v\n\n%s", reason, debug.Stack())})
			}
		}()
		f()
	})
}

// send sends the model an input, unless the program has ended.
func (p *program) send(ctx context.Context, what any) {
	select {
	case p.messages <- what:
	case <-ctx.Done():
	}
}

// signalled handles a signal: the process has to stop, or another program had the terminal.
func (p *program) signalled(ctx context.Context, s ctl.ScreenEvent) {
	if ctl.IsSuspend(s) {
		p.suspend(ctx)
		return
	}
	if ctl.IsContinue(s) {
		_ = p.Screen.Suspend()
		p.resume()
	}
}

// suspend restores the screen while the process is stopped.
func (p *program) suspend(ctx context.Context) {
	if !ctl.CanSuspend() {
		return
	}
	_ = p.Screen.Suspend()
	signals, stop := ctl.ScreenEvents()
	ctl.StopProcess(ctx, signals)
	stop()
	p.resume()
}

func (p *program) resume() {
	if err := p.Screen.Resume(); err != nil {
		p.ended = true
		return
	}
	p.redraw()
}

// redraw draws the whole screen.
func (p *program) redraw() {
	p.shown = nil
	p.Screen.Clear()
	p.draw()
	p.Screen.Sync()
}

// draw draws the lines that changed.
func (p *program) draw() {
	p.model.width, p.model.height = p.Screen.Size()
	frame := p.model.frame()
	for y, line := range frame {
		if y < len(p.shown) && line.selected == p.shown[y].selected && slices.Equal(line.pieces, p.shown[y].pieces) {
			continue
		}
		p.paint(y, line)
	}
	p.shown = frame
	p.Screen.Show()
	p.follower.want(p.model.visible(), p.model.left())
}
