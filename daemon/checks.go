package daemon

import (
	"cmp"
	"crypto/x509"
	"strings"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/health"
	"github.com/providerd/providerd/daemon/scarce"
)

// checks are what the daemon must be able to do. A new one is a line.
func (d *Daemon) checks() *health.Health {
	return health.New(d.log.Named("health"),
		health.Commits(d.store),
		health.Disk(d.store, &d.disk),
		health.Scheduler(d.schedule.Lag),
		health.Check{Name: "socket", Problem: d.socketProblem},
		health.Check{Name: "resources", Problem: d.shortageProblem},
		health.Check{Name: "log", Problem: d.log.Problem},
	)
}

// socketProblem is why clients do not find the control socket.
func (d *Daemon) socketProblem() string {
	if problem := d.lost.Load(); problem != nil {
		return *problem
	}
	return ""
}

// shortageProblem is what has run out, or what there is too little of from the start.
func (d *Daemon) shortageProblem() string {
	return cmp.Or(scarce.Deal(scarce.Limit()).Problem(d.store.View().Len()), d.shortage.Problem())
}

// loadRoots reads this machine's certificate authorities, if a provider is to be asked
// over TLS, while there are files to be opened: they are read once, and a failure then
// would last for as long as the process.
func loadRoots(cfg *config.Config) {
	for i := range cfg.Providers {
		p := &cfg.Providers[i]
		scheme, _, _ := strings.Cut(p.BaseURL, ":")
		if p.KeyMissing == "" && (p.TLS == nil || p.TLS.CAFile == "") && (scheme == "https" || scheme == "tls" || scheme == "grpcs") {
			_, _ = x509.SystemCertPool() // its failure is that of each handshake
			return
		}
	}
}
