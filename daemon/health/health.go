// Package health tells whether the daemon can keep its promises. What it must be able
// to do is a [Check] with a name; whoever asks hears at once how each stands, and the
// log has a line when one goes bad and another when it is well again, also when nobody
// asks. A new check is a line in the list of whoever makes the [Health].
//
// It imports hclog, store and the packages below it, and knows the rest of the daemon
// by functions alone.
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
	// Problem says in one line why it cannot; empty: it can. It waits for nothing.
	Problem func() string
	// Told means that whoever meets the problem logs it.
	Told bool
}

// Ok is what is said of a check that has no problem.
const Ok = "ok"

// lookEvery is how often the checks are looked at when nobody asks. With the time
// after which something hangs it is well below the ten seconds that are promised.
const lookEvery = 3 * time.Second

// Health is how a daemon stands.
type Health struct {
	log    hclog.Logger
	checks []Check

	mu     sync.Mutex
	unwell map[string]bool // as the log has it
}

// New makes a Health of checks with different names. They are reported in any order,
// and logged in this one.
func New(log hclog.Logger, checks ...Check) *Health {
	return &Health{log: log, checks: checks, unwell: make(map[string]bool)}
}

// Report says how each check stands now. It waits for nothing.
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

// Problems are what is wrong now, as "NAME: PROBLEM".
func (h *Health) Problems() (wrong []string) {
	h.each(func(c *Check, problem string) {
		if problem != "" {
			wrong = append(wrong, c.Name+": "+problem)
		}
	})
	return wrong
}

// Watch looks at the checks until ctx ends, so that the log tells of what nobody asks
// about.
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

// each tells how every check stands, and logs what has changed.
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
		h.log.Error("unwell", "check", c.Name, "problem", problem)
	default:
		h.log.Info("well again", "check", c.Name)
	}
}
