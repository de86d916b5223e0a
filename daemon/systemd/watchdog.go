package systemd

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Watchdog feeds the manager's for as long as the daemon does what it is for.
type Watchdog struct {
	// Every is how long the manager waits. It is fed thrice in that time.
	Every time.Duration
	// Read is a read as clients do it. Its error is a reason to be restarted.
	Read func(context.Context) error
	// Commit waits until something is on the disk. Only an end of the context is
	// a reason to be restarted: a disk that says no is alive, readers get what was
	// saved last, and a restart would not make room on it. Nor does a disk that answers
	// nobody come back by one; to tell that from a commit that hangs is for Commit.
	Commit func(context.Context) error
	// Fed is called with every sign of life; its error is told as that of a check.
	Fed func() error
	// Changed is called when a check went another way than the one before it: with
	// what is wrong, or nil. The first is expected to go well.
	Changed func(error)
}

// Run checks until ctx ends.
func (w *Watchdog) Run(ctx context.Context) {
	every := max(w.Every/3, time.Millisecond)
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	was := ""
	for {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return
		}
		err := w.check(ctx, every)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = w.Fed()
		}
		is := ""
		if err != nil {
			is = err.Error()
		}
		if is != was {
			w.Changed(err)
		}
		was = is
	}
}

// check does both within limit; half of it is for the read.
func (w *Watchdog) check(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	reading, read := context.WithTimeout(ctx, limit/2)
	defer read()
	if err := w.Read(reading); err != nil {
		return fmt.Errorf("read through the socket: %w", err)
	}
	if err := w.Commit(ctx); err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return err
	}
	return nil
}
