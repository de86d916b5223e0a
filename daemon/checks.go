package daemon

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/health"
	"github.com/providerd/providerd/daemon/scarce"
)

// checks lists what the daemon must be able to do. A new check is one line.
func (d *Daemon) checks() *health.Health {
	return health.New(d.log.Named("health"),
		health.Commits(d.store),
		health.Disk(d.store, &d.disk),
		health.Scheduler(d.schedule.Lag),
		health.Check{Name: "socket", Problem: d.socketProblem},
		health.Check{Name: "resources", Problem: d.shortageProblem},
		health.Check{Name: "log", Problem: d.log.Problem},
		health.Check{Name: "notify", Problem: d.notifyProblem},
	)
}

// socketProblem is why clients cannot find the control socket.
func (d *Daemon) socketProblem() string {
	if problem := d.lost.Load(); problem != nil {
		return *problem
	}
	return ""
}

// shortageProblem is what has run out, or was too little from the start.
func (d *Daemon) shortageProblem() string {
	return cmp.Or(scarce.Deal(scarce.Limit()).Problem(d.store.View().Len()), d.shortage.Problem())
}

// notStuck is how long a message may wait for its receiver.
const notStuck = time.Hour

// notifyProblem is why people are not told.
func (d *Daemon) notifyProblem() string {
	if cfg := d.config.Load(); cfg == nil || len(cfg.Notify) == 0 || d.notify == nil {
		return ""
	}
	now := time.Now()
	var problems []string
	for _, s := range d.notify.List().Sinks {
		switch waits := now.Sub(s.Oldest.Time); {
		case s.Dead > 0:
			problems = append(problems, fmt.Sprintf("%s: %s given up: %s", s.ID, were(s.Dead, "message"), s.LastError))
		case !s.Oldest.IsZero() && s.QuietUntil.IsZero() && s.LastError != "" && waits > notStuck:
			problems = append(problems, fmt.Sprintf("%s: a message has waited for %s: %s", s.ID, waits.Round(time.Minute), s.LastError))
		}
	}
	return strings.Join(problems, "; ")
}

// were is a number of things that met something.
func were(n int, what string) string {
	if n == 1 {
		return "1 " + what + " was"
	}
	return fmt.Sprintf("%d %ss were", n, what)
}

// loadRoots reads this machine's certificate authorities if a provider is probed over TLS.
// It does so while files can still be opened: they are read once, and a failure would last
// as long as the process.
func loadRoots(cfg *config.Config) {
	for i := range cfg.Providers {
		p := &cfg.Providers[i]
		scheme, _, _ := strings.Cut(p.BaseURL, ":")
		if p.KeyMissing == "" && (p.TLS == nil || p.TLS.CAFile == "") && (scheme == "https" || scheme == "tls" || scheme == "grpcs") {
			_, _ = x509.SystemCertPool() // if it fails, so does each handshake
			return
		}
	}
}
