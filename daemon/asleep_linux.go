package daemon

import (
	"time"

	"golang.org/x/sys/unix"
)

// asleep is how long this machine has slept since it was started, negative if unknown. One
// of its clocks continues during sleep and the other does not. In a time namespace either
// may be ahead by a constant.
func asleep() time.Duration {
	var boot, mono unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) != nil || unix.ClockGettime(unix.CLOCK_MONOTONIC, &mono) != nil {
		return -1
	}
	return max(0, time.Duration(boot.Nano()-mono.Nano()))
}
