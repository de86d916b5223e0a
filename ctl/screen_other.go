//go:build !unix

package ctl

import "context"

// A ScreenEvent is something that happened to the screen. On this system there are none, and
// the size is read whenever the clock is drawn.
type ScreenEvent struct{}

// ScreenEvents delivers none.
func ScreenEvents() (events chan ScreenEvent, end func()) { return nil, func() {} }

// IsSuspend is false: processes are not stopped on this system.
func IsSuspend(ScreenEvent) bool { return false }

// IsContinue is false.
func IsContinue(ScreenEvent) bool { return false }

// CanSuspend is false.
func CanSuspend() bool { return false }

// StopProcess does nothing.
func StopProcess(context.Context, chan ScreenEvent) {}
