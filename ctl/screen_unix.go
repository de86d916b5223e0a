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
// process is to stop, or goes on.
type screenEvent = os.Signal

// screenEvents tells of them until end is called. Who started the process may have
// decided that it is not to be stopped.
func screenEvents() (events chan screenEvent, end func()) {
	events = make(chan screenEvent, 4)
	signal.Notify(events, syscall.SIGWINCH, syscall.SIGCONT)
	if !signal.Ignored(syscall.SIGTSTP) {
		signal.Notify(events, syscall.SIGTSTP)
	}
	return events, func() { signal.Stop(events) }
}

// isSuspend reports whether somebody pressed ctrl-Z who can have the process go on: a
// shell that controls jobs, which gives each a process group of its own. The kernel
// stops no others, either.
func isSuspend(event screenEvent) bool {
	if event != syscall.SIGTSTP {
		return false
	}
	session, err := unix.Getsid(0)
	return err == nil && session != unix.Getpgrp()
}

// stopProcess does what ctrl-Z does to a process that does not ask to be told of it, and
// returns when this one goes on. Go does not give the signal its own effect back.
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
