package systemd

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Watchdog feeds the manager's watchdog as long as the daemon does its work.
type Watchdog struct {
	// Every is the manager's timeout. Its watchdog is fed three times in that time.
	Every time.Duration
	// Read reads as a client does. Its error is a reason to be restarted.
	Read func(context.Context) error
	// Commit waits until something is on the disk. Only the end of its context is a reason
	// to be restarted. While a disk refuses, readers get what was saved last, and a restart
	// would not free space. Nor does it help if the disk does not answer at all: Commit must
	// tell that from a commit that hangs.
	Commit func(context.Context) error
	// Fed is called with every sign of life; its error is treated as that of a check.
	Fed func() error
	// Changed is called when a check's result differs from the previous one's: with the
	// error, or nil. The result before the first counts as nil.
	Changed func(error)
}

// Run runs the checks until ctx ends.
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

// check reads and commits within limit; half of it is for the read.
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
