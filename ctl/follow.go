package ctl

import (
	"context"
	"errors"
	"os"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// following is the context of a command that runs until it is asked to end: by ctrl-C, or
// because the reader of its output is gone, which it notices at once and which is not a
// failure. Stop releases what that takes.
func (a *app) following() (ctx context.Context, stop func()) {
	if a.KeepsPipes != nil {
		a.KeepsPipes()
	}
	ctx, cancel := context.WithCancel(a.interruptible(true))
	file, ok := a.bytes.(*os.File)
	if !ok {
		return ctx, cancel
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if awaitUnread(ctx, file) {
			cancel()
		}
	}()
	return ctx, func() {
		cancel()
		<-ended
	}
}

// A vigil is a stream that is followed over restarts of the daemon.
type vigil struct {
	app   *app
	begun bool // a daemon has answered, so wait for the next one
	lost  bool // the daemon is away, which has been reported
}

// alive remembers that the stream works.
func (v *vigil) alive() { v.begun, v.lost = true, false }

// keep calls follow, and again whenever the stream ended for a reason that passes, until
// ctx ends. Follow returns why the stream ended, and continues from there when it is
// called again.
func (v *vigil) keep(ctx context.Context, follow func(context.Context) error) error {
	for {
		err := follow(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case !v.begun || !passes(err):
			return err
		case !v.lost:
			v.lost = true
			v.app.say("%v; %s", err, whatNext(err))
		}
		pause(ctx, firstRetry)
	}
}

// passes reports whether a stream that ended with err can be resumed.
func passes(err error) bool {
	var e *provider.Error
	return mayReturn(err) || errors.As(err, &e) && e.Code == provider.StoreFailing
}

// whatNext is what a follower does about err.
func whatNext(err error) string {
	var e *provider.Error
	if errors.As(err, &e) && (e.Code == provider.TooMany || e.Code == provider.StoreFailing) && !client.MayCome(err) {
		return "continuing from there"
	}
	return "waiting for the daemon to return"
}
