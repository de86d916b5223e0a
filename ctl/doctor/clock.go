package doctor

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// clock says whether this machine's is right, by what it, the daemon and the vendors say.
func clock(f *Facts) (all []Finding) {
	const (
		subject = "clock"
		some    = 30 * time.Second // of no harm below
		much    = 10 * time.Minute // certificates and signatures fail
	)
	var set []string
	if len(f.Units) > 0 { // whose manager is systemd, or asks one
		set = []string{"sudo timedatectl set-ntp true", "if that is not supported, install chrony or systemd-timesyncd first"}
	}
	agreed := 0
	if ids := slices.Sorted(maps.Keys(f.Ahead)); len(ids) > 0 {
		apart := slices.SortedFunc(maps.Values(f.Ahead), func(a, b time.Duration) int { return int(a - b) })
		middle := apart[len(apart)/2] // a single vendor's may be wrong
		level := Warn
		if middle.Abs() >= much && (len(apart) > 1 || !f.Clock.Synchronised) {
			level = Fail
		}
		if middle.Abs() < some {
			agreed = len(ids)
		} else {
			way := map[bool]string{true: "behind", false: "ahead of"}[middle > 0]
			all = append(all, one(subject, level, fmt.Sprintf("this machine is %s %s what %s say", span(middle), way, counted(len(ids), "provider")), set...)...)
		}
	}
	if f.Info != nil && f.Info.Setup != nil {
		if jump := time.Duration(f.Info.Setup.ClockJumpedMS) * time.Millisecond; jump.Abs() >= some {
			way := map[bool]string{true: "forward", false: "back"}[jump > 0]
			all = append(all, one(subject, Warn, fmt.Sprintf("it was set %s by %s since the daemon started; history still counts the time that really passed", way, span(jump)))...)
		}
	}
	switch {
	case len(all) > 0:
		return all
	case agreed > 0 && !f.Clock.Synchronised:
		return one(subject, OK, "it agrees with "+counted(agreed, "provider"))
	case !f.Clock.Known:
		return one(subject, Skip, "the system does not report whether it is synchronised")
	case !f.Clock.Synchronised && set == nil: // a container's is its host's
		return one(subject, Skip, "the kernel does not report it as synchronised, and no provider has told the time yet")
	case !f.Clock.Synchronised:
		return one(subject, Warn, "it is not synchronised, or not by a program that tells the kernel", set...)
	}
	return one(subject, OK, "synchronised")
}
