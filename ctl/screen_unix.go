//go:build unix

package ctl

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A screenEvent is something that happened to the screen: it has another size, or the
// process is to stop, or continues.
type screenEvent = os.Signal

// screenEvents delivers screen events until end is called. The parent may have decided
// that the process cannot be stopped.
func screenEvents() (events chan screenEvent, end func()) {
	events = make(chan screenEvent, 4)
	signal.Notify(events, syscall.SIGWINCH, syscall.SIGCONT)
	if !signal.Ignored(syscall.SIGTSTP) {
		signal.Notify(events, syscall.SIGTSTP)
	}
	return events, func() { signal.Stop(events) }
}

// isSuspend reports whether ctrl-Z was pressed under a shell that can continue the
// process: one with job control, which gives each job its own process group. The kernel
// stops no others, either.
func isSuspend(event screenEvent) bool {
	if event != syscall.SIGTSTP {
		return false
	}
	session, err := unix.Getsid(0)
	return err == nil && session != unix.Getpgrp()
}

// stopProcess does what ctrl-Z does to a process that does not handle it, and returns when
// this one continues. Go does not restore the default effect of the signal.
func stopProcess(ctx context.Context, events chan screenEvent) {
	const delivered = 100 * time.Millisecond // of running
	_ = unix.Kill(unix.Getpid(), unix.SIGSTOP)
	timer := time.NewTimer(delivered)
	defer timer.Stop()
	for {
		select {
		case event := <-events:
			if event != syscall.SIGCONT {
				continue
			}
		case <-timer.C:
		case <-ctx.Done():
		}
		return
	}
}
