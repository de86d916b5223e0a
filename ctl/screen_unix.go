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

// A ScreenEvent is something that happened to the screen: it has another size, or the
// process is to stop, or continues.
type ScreenEvent = os.Signal

// ScreenEvents delivers screen events until end is called. The parent may have decided
// that the process cannot be stopped.
func ScreenEvents() (events chan ScreenEvent, end func()) {
	events = make(chan ScreenEvent, 4)
	signal.Notify(events, syscall.SIGWINCH, syscall.SIGCONT)
	if !signal.Ignored(syscall.SIGTSTP) {
		signal.Notify(events, syscall.SIGTSTP)
	}
	return events, func() { signal.Stop(events) }
}

// IsSuspend reports whether the process has to stop: ctrl-Z was pressed, and it [CanSuspend].
func IsSuspend(event ScreenEvent) bool { return event == syscall.SIGTSTP && CanSuspend() }

// IsContinue reports whether the process continues after it was stopped.
func IsContinue(event ScreenEvent) bool { return event == syscall.SIGCONT }

// CanSuspend reports whether a shell can continue the process once it has stopped: one
// with job control, which gives each job its own process group. The kernel does not stop others
// either.
func CanSuspend() bool {
	session, err := unix.Getsid(0)
	return err == nil && session != unix.Getpgrp()
}

// StopProcess does what ctrl-Z does to a process that does not handle it, and returns when
// this one continues. Go does not restore the default effect of the signal.
func StopProcess(ctx context.Context, events chan ScreenEvent) {
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
