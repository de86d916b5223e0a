package daemon

import (
	"time"

	"golang.org/x/sys/unix"
)

// asleep is for how long this machine has slept since it was started, negative when it
// does not tell: one of its clocks goes on then, and the other does not. In a namespace
// of its own each may be ahead, which only the first look notices.
func asleep() time.Duration {
	var boot, mono unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) != nil || unix.ClockGettime(unix.CLOCK_MONOTONIC, &mono) != nil {
		return -1
	}
	return max(0, time.Duration(boot.Nano()-mono.Nano()))
}
