// Package health tells whether the daemon can keep its promises. Each thing that it must
// be able to do is a [Check] with a name. Reports are immediate, and the log has a line
// when a check fails and another when it recovers, even if nobody asks. A new check is a
// line in the list that is passed to [New].
//
// It imports hclog, store and the packages below that; it knows the rest of the daemon
// only through functions.
package health

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/store/provider"
)

// A Check is something that the daemon must be able to do.
type Check struct {
	Name string // its key in [provider.Health]
	// Problem says in one line why it cannot; empty: it can. It does not wait.
	Problem func() string
	// Told means that the problem is logged where it occurs.
	Told bool
}

// Ok is the report of a check without a problem.
const Ok = "ok"

// lookEvery is how often the checks run if nobody asks. Together with hangsAfter it stays
// well below the promised ten seconds.
const lookEvery = 3 * time.Second

// Health runs the daemon's checks.
type Health struct {
	log    hclog.Logger
	checks []Check

	mu     sync.Mutex
	unwell map[string]bool // according to the log
}

// New makes a Health from checks with different names. They are logged in this order.
func New(log hclog.Logger, checks ...Check) *Health {
	return &Health{log: log, checks: checks, unwell: make(map[string]bool)}
}

// Report returns the state of each check. It does not wait.
func (h *Health) Report() provider.Health {
	reply := provider.Health{Status: Ok, Checks: make(map[string]string, len(h.checks))}
	h.each(func(c *Check, problem string) {
		reply.Checks[c.Name] = Ok
		if problem != "" {
			reply.Status, reply.Checks[c.Name] = "failing", problem
		}
	})
	return reply
}

// Problems returns what is wrong now, as "NAME: PROBLEM".
func (h *Health) Problems() (wrong []string) {
	h.each(func(c *Check, problem string) {
		if problem != "" {
			wrong = append(wrong, c.Name+": "+problem)
		}
	})
	return wrong
}

// Watch runs the checks until ctx ends, so that problems are logged even if nobody asks.
func (h *Health) Watch(ctx context.Context) {
	ticks := time.NewTicker(lookEvery)
	defer ticks.Stop()
	for {
		h.each(func(*Check, string) {})
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return
		}
	}
}

// each calls a function with the state of every check, and logs changes.
func (h *Health) each(tell func(c *Check, problem string)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.checks {
		c := &h.checks[i]
		problem := c.Problem()
		tell(c, problem)
		if is, was := problem != "", h.unwell[c.Name]; is != was {
			h.unwell[c.Name] = is
			h.note(c, problem)
		}
	}
}

func (h *Health) note(c *Check, problem string) {
	switch {
	case c.Told:
	case problem != "":
		h.log.Error("check failed", "check", c.Name, "problem", problem)
	default:
		h.log.Info("check recovered", "check", c.Name)
	}
}
