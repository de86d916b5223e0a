package examine

import (
	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/ctl/doctor"
)

// clockOf asks the kernel, which whoever keeps the clock tells: adjtimex(2).
func clockOf() doctor.Clock {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return doctor.Clock{}
	}
	return doctor.Clock{Known: true, Synchronised: state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0}
}
