package ctl

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Process is the environment of this process. Version is the one that the release build set, or
// empty.
func Process(version string) Env {
	return Env{
		Args:          os.Args[1:],
		Stdin:         os.Stdin,
		Stdout:        os.Stdout,
		Stderr:        os.Stderr,
		Getenv:        os.Getenv,
		Environ:       os.Environ,
		Version:       version,
		Interruptible: interruptible,
		KeepsPipes:    func() { signal.Ignore(syscall.SIGPIPE) },
	}
}

// interruptible returns a context that a signal ends. A second signal ends the process. A
// signal that is ignored stays ignored, for nohup, and for shells that start a command in
// the background.
func interruptible(ctx context.Context) context.Context {
	var heard []os.Signal
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			heard = append(heard, s)
		}
	}
	if len(heard) == 0 { // which would mean all signals
		return ctx
	}
	ctx, stop := signal.NotifyContext(ctx, heard...)
	context.AfterFunc(ctx, stop)
	return ctx
}
