package health

import (
	"fmt"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/underway"
)

const (
	// hangsAfter is how long disk operations may take: more than a slow disk under load
	// needs, and less than people are willing to wait.
	hangsAfter = 5 * time.Second
	// lateAfter is the lag from which the scheduler counts as unhealthy.
	lateAfter = 5 * time.Second
)

// Commits is the check that the database can be written. If not, the store logs why.
func Commits(s *store.Store) Check {
	return Check{Name: "store", Told: true, Problem: func() string { return s.Stats().LastError }}
}

// Disk is the check that the disk answers, to the database and to other work.
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

// Hangs is the problem with an operation that has taken this long; empty if it is not too
// long.
func Hangs(what string, age time.Duration) string {
	if what == "" || age < hangsAfter {
		return ""
	}
	return (&underway.HangError{What: what, For: age}).Error()
}

// Scheduler is the check that probes start on time; lag is how late the most overdue one
// is.
func Scheduler(lag func() time.Duration) Check {
	return Check{Name: "scheduler", Problem: func() string {
		if late := lag(); late > lateAfter {
			return fmt.Sprintf("a probe is %s late", underway.Rounded(late))
		}
		return ""
	}}
}
