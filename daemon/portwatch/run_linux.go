package portwatch

import (
	"context"
	"time"
)

// Run watches until ctx ends. If this system does not allow it, that is logged once for
// each call of [Watch.Follow].
func (w *Watch) Run(ctx context.Context) {
	for ctx.Err() == nil {
		if s := w.open(); s != nil {
			w.read(ctx, s)
		}
		select {
		case <-w.changed:
		case <-ctx.Done():
		}
	}
}

// open opens the socket, if there is anything to follow.
func (w *Watch) open() *socket {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.changed: // these are the ports
	default:
	}
	if len(w.ports) == 0 {
		return nil
	}
	s, err := open(w.ports)
	if err != nil {
		w.o.Log.Info("closed ports are not noticed at once", "error", err)
		return nil
	}
	w.socket = s
	return s
}

// read reports what the socket says until ctx ends, the socket breaks, or there is too
// much of it.
func (w *Watch) read(ctx context.Context, s *socket) {
	defer w.forget(s)
	defer context.AfterFunc(ctx, s.close)()
	var b batch
	var err error
	for seen := (rate{}); ; {
		b, err = s.next(b)
		if ctx.Err() != nil || w.isForgotten(s) {
			return
		}
		if err != nil {
			w.o.Log.Warn("closed ports are not noticed at once any more", "error", err)
			w.o.Missed()
			return
		}
		if b.lost {
			w.o.Log.Debug("messages about closed ports were lost")
			w.o.Missed()
		} else {
			w.o.Closed(b.ports)
		}
		if seen.add(b.n, time.Now()) {
			w.o.Log.Warn("closed ports are not noticed at once until the next reload: too many sockets are closed at them",
				"more_than", mostMessages, "within", time.Second)
			w.o.Missed()
			return
		}
	}
}

func (w *Watch) isForgotten(s *socket) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.socket != s
}

// forget closes a socket, which may be closed already.
func (w *Watch) forget(s *socket) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s.close()
	if w.socket == s {
		w.socket = nil
	}
}
