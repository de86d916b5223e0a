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
	// lookForSocket is how often the daemon checks that clients can find the control socket.
	lookForSocket = 3 * time.Second
	// lostFor is how long the socket may be lost before the daemon exits, so that its
	// service manager restarts it and makes its folder again.
	lostFor = 20 * time.Second
	// formerSockets is how many replaced sockets are still served, for clients that reach
	// one under another name.
	formerSockets = 4
)

// A keeper makes sure that clients can find the control socket.
type keeper struct {
	d      *Daemon
	now    *socket.Listener   // the one that clients should find
	former []*socket.Listener // except the first, which ends with the server
	since  time.Time          // when it was found to be lost; zero: it is not
	deaf   fs.FileInfo        // a socket in its place without a listener at the last check
}

// keepSocket checks until ctx ends that clients can find the control socket, and listens
// again if they cannot. Its error is why the daemon should exit; it returns nil only when
// ctx has ended.
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

// look checks once, and repairs what it can.
func (k *keeper) look() error {
	lost := k.now.Lost()
	if lost == nil {
		k.found()
		return nil
	}
	if k.since.IsZero() {
		k.since = time.Now()
		k.d.log.Warn("clients cannot find the control socket, listening again", "error", lost)
	}
	anew, err := k.listen()
	if err == nil {
		k.replace(anew)
		return nil
	}
	var e *socket.Error
	if errors.As(err, &e) && e.InUse {
		return fmt.Errorf("another process has taken the control socket: %w", err)
	}
	text := k.explain(lost, err)
	k.d.lost.Store(&text)
	if k.now.Made() && k.d.notifier != nil && time.Since(k.since) >= lostFor {
		return fmt.Errorf("nobody can reach this daemon: %w", err)
	}
	return nil
}

func (k *keeper) listen() (*socket.Listener, error) {
	anew, err := k.listenAt(k.d.socketPath())
	if err == nil || !k.now.Made() {
		return anew, err
	}
	if spare := k.d.spareSocket(); spare != "" {
		if anew, err = k.listenAt(spare); err == nil {
			k.d.moveTo(spare)
		}
		return anew, err
	}
	if first := k.d.firstSocket(); first != "" {
		if back, failed := k.listenAt(first); failed == nil {
			k.d.moveBackTo(first)
			return back, nil
		}
	}
	return nil, err
}

func (k *keeper) listenAt(path string) (anew *socket.Listener, err error) {
	k.d.reserve.Lend(2, func() {
		anew, err = socket.ListenAnew(path, k.d.socketMode(), k.stillDeaf, k.d.insecure...)
	})
	return anew, err
}

// stillDeaf reports whether a socket without a listener was already there at the last
// check: another daemon would have begun to listen by now.
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
		_ = k.former[0].Close() // its file is gone, or not ours
		k.former = k.former[1:]
	}
	moved := anew.Path() != k.now.Path()
	k.now = anew
	k.found()
	k.d.log.Warn("listening on the control socket again", "socket", anew.Path())
	if moved {
		k.d.store.Answers(anew.Path())
	}
}

func (k *keeper) found() {
	k.since = time.Time{}
	k.d.lost.Store(nil)
}

// explain is the problem in one line: what is lost, why it cannot be repaired, and what to
// do.
func (k *keeper) explain(lost, err error) string {
	text := lost.Error()
	if lost.Error() != err.Error() {
		text += "; cannot listen again: " + err.Error()
	}
	hint := provider.HintOf(err)
	if !k.now.Made() { // the manager makes its folder too
		hint = "systemctl stop providerd.service, then: systemctl restart providerd.socket"
	}
	if hint != "" {
		text += ": " + hint
	}
	return text
}
