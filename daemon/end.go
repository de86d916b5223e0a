package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/providerd/providerd/store/underway"
)

const (
	// endWithin is how long the shutdown may take, even if something does not answer.
	// The times of the stages count from the start of the shutdown.
	endWithin   = 3 * time.Second
	requestsEnd = 2 * time.Second // requests in progress
	socketEnd   = requestsEnd + 100*time.Millisecond
	partsEnd    = socketEnd + 100*time.Millisecond // probes, which were cancelled at once
	storeEnd    = endWithin - 500*time.Millisecond // the rest is for the last log lines
	storeLeast  = 300 * time.Millisecond
)

// slowStart is when the log says what the start is waiting for.
const slowStart = 5 * time.Second

// awaitEnd waits for the daemon to end, and not much longer than ctx.
func (d *Daemon) awaitEnd(ctx context.Context, ended <-chan error) error {
	started := time.NewTimer(slowStart)
	defer started.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-started.C:
			switch what, age := d.disk.Oldest(); {
			case d.up.Load():
			case age >= slowStart:
				d.log.Warn("start is waiting for the disk", "what", what, "for", underway.Rounded(age))
			default: // what it waits for began after us, or has yet to begin on a busy machine
				started.Reset(slowStart - age)
			}
			continue
		case <-ctx.Done():
		}
		break
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(endWithin):
	}
	what, age := d.disk.Oldest()
	return fmt.Errorf("end: %w", &underway.HangError{What: cmp.Or(what, "an unfinished operation"), For: max(age, endWithin)})
}

// end ends everything above the store, in order, and abandons what hangs.
func (d *Daemon) end(served <-chan error, parts *sync.WaitGroup) error {
	d.ending = time.Now()
	d.log.Info("stopping")
	d.logNotifyError(d.notifier.Stopping(""))
	err := d.disk.Within(socketEnd, "ending the control socket", func() error {
		end, done := context.WithTimeout(context.Background(), requestsEnd)
		defer done()
		if err := d.control.Shutdown(end); err != nil {
			d.log.Warn("client connections aborted", "error", err)
		}
		return <-served
	})
	d.leave(&err)
	hung := d.disk.Within(time.Until(d.ending.Add(partsEnd)), "ending the probes", func() error { parts.Wait(); return nil })
	d.leave(&hung)
	return err
}

// leave turns a hang into a log line: what hangs is abandoned.
func (d *Daemon) leave(err *error) {
	var hang *underway.HangError
	if errors.As(*err, &hang) {
		d.log.Warn("abandoned an operation that hangs", "error", *err)
		*err = nil
	}
}

// timeToClose is how long the store may take to close.
func (d *Daemon) timeToClose() time.Duration {
	if d.ending.IsZero() {
		return endWithin // no shutdown was requested: something else failed
	}
	return max(storeLeast, time.Until(d.ending.Add(storeEnd)))
}
