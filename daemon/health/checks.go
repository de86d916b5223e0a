package health

import (
	"fmt"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/underway"
)

const (
	// hangsAfter is how long what touches the disk may take. It is more than a slow
	// disk under load needs, and less than people wait.
	hangsAfter = 5 * time.Second
	// lateAfter is the lag at which the scheduler is no longer healthy.
	lateAfter = 5 * time.Second
)

// Commits is the check that the database can be written. The store logs why it cannot.
func Commits(s *store.Store) Check {
	return Check{Name: "store", Told: true, Problem: func() string { return s.Stats().LastError }}
}

// Disk is the check that the disk answers at all: what the database waits for, and
// other work.
func Disk(s *store.Store, others ...*underway.Work) Check {
	return Check{Name: "disk", Problem: func() string {
		stats := s.Stats()
		what, age := stats.Hanging, stats.HangingFor
		for _, w := range others {
			if other, longer := w.Oldest(); longer > age {
				what, age = other, longer
			}
		}
		return Hangs(what, age)
	}}
}

// Hangs is the problem of what has been under way for so long; empty while that is
// not too long.
func Hangs(what string, age time.Duration) string {
	if what == "" || age < hangsAfter {
		return ""
	}
	return (&underway.HangError{What: what, For: age}).Error()
}

// Scheduler is the check that probes begin in time; lag is how late the most overdue
// one is.
func Scheduler(lag func() time.Duration) Check {
	return Check{Name: "scheduler", Problem: func() string {
		if late := lag(); late > lateAfter {
			return fmt.Sprintf("a probe is %s late", underway.Rounded(late))
		}
		return ""
	}}
}
