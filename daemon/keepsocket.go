package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/providerd/providerd/daemon/socket"
	"github.com/providerd/providerd/store/provider"
)

const (
	// lookForSocket is how often it is looked whether clients find the control socket.
	lookForSocket = 3 * time.Second
	// lostFor is how long they may not before the daemon ends for its service manager to
	// start it anew, with the folder that it makes.
	lostFor = 20 * time.Second
	// formerSockets is how many sockets that were replaced are served still: who found
	// one under another name goes on.
	formerSockets = 4
)

// A keeper sees to it that clients find the control socket.
type keeper struct {
	d      *Daemon
	now    *socket.Listener   // where they should find it
	former []*socket.Listener // without the first, which ends with the server
	since  time.Time          // it is lost; zero: it is not
	deaf   fs.FileInfo        // a socket in its place that nobody listened on at the last look
}

// keepSocket looks until ctx ends whether clients find the control socket, and listens
// anew when they do not. Its error is why the daemon should end; it returns nil only
// when ctx has ended.
func (d *Daemon) keepSocket(ctx context.Context, l *socket.Listener) error {
	k := &keeper{d: d, now: l}
	ticks := time.NewTicker(lookForSocket)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return nil
		}
		d.reserve.Refill()
		end := d.disk.Begin("looking for the control socket " + d.socketPath())
		err := k.look()
		end()
		if err != nil {
			return err
		}
	}
}

// look looks once, and mends what it can.
func (k *keeper) look() error {
	lost := k.now.Lost()
	if lost == nil {
		k.found()
		return nil
	}
	if k.since.IsZero() {
		k.since = time.Now()
		k.d.log.Warn("clients do not find the control socket: listening anew", "error", lost)
	}
	anew, err := k.listen()
	if err == nil {
		k.replace(anew)
		return nil
	}
	var e *socket.Error
	if errors.As(err, &e) && e.InUse {
		return fmt.Errorf("clients reach another process now: %w", err)
	}
	text := k.explain(lost, err)
	k.d.lost.Store(&text)
	if k.now.Made() && k.d.notifier != nil && time.Since(k.since) >= lostFor {
		return fmt.Errorf("nobody can reach this daemon: %w", err)
	}
	return nil
}

func (k *keeper) listen() (anew *socket.Listener, err error) {
	k.d.reserve.Lend(2, func() {
		anew, err = socket.ListenAnew(k.d.socketPath(), k.d.socketMode(), k.stillDeaf, k.d.insecure...)
	})
	spare := ""
	if err != nil && k.now.Made() {
		spare = k.d.spareSocket()
	}
	if spare == "" {
		return anew, err
	}
	k.d.reserve.Lend(2, func() { anew, err = socket.ListenAnew(spare, k.d.socketMode(), k.stillDeaf, k.d.insecure...) })
	if err == nil {
		k.d.moveTo(spare)
	}
	return anew, err
}

// stillDeaf reports whether a socket that nobody listens on was there at the last look:
// another daemon begins to listen sooner.
func (k *keeper) stillDeaf(info fs.FileInfo) bool {
	was := k.deaf
	k.deaf = info
	return was != nil && os.SameFile(was, info)
}

// replace serves a new socket, and the one before it as well.
func (k *keeper) replace(anew *socket.Listener) {
	k.d.control.Also(anew)
	k.former = append(k.former, anew)
	if len(k.former) > formerSockets {
		_ = k.former[0].Close() // its file is another's, or gone
		k.former = k.former[1:]
	}
	moved := anew.Path() != k.now.Path()
	k.now = anew
	k.found()
	k.d.log.Warn("listening anew on the control socket", "socket", anew.Path())
	if moved {
		k.d.store.Answers(anew.Path())
	}
}

func (k *keeper) found() {
	k.since = time.Time{}
	k.d.lost.Store(nil)
}

// explain is the problem in one line: what is lost, why that is not mended, and what to
// do.
func (k *keeper) explain(lost, err error) string {
	text := lost.Error()
	if lost.Error() != err.Error() {
		text += "; listening anew: " + err.Error()
	}
	hint := provider.HintOf(err)
	if !k.now.Made() { // its folder is the manager's too
		hint = "systemctl stop providerd.service, then: systemctl restart providerd.socket"
	}
	if hint != "" {
		text += ": " + hint
	}
	return text
}
