//go:build !unix

package ctl

import "context"

// A screenEvent is something that happened to the screen. Here there are none, and the
// size is read whenever the clock is drawn.
type screenEvent struct{}

func screenEvents() (events chan screenEvent, end func()) { return nil, func() {} }

func isSuspend(screenEvent) bool { return false }

func stopProcess(context.Context, chan screenEvent) {}
