package scarce

import "fmt"

const (
	// mostConns is the number of client connections that is always enough.
	mostConns = 4096
	// leastConns is the minimum, even if that leaves little for the rest.
	leastConns = 64
	// filesKept is how many files the rest of the daemon may need: a thousand probes at
	// once, the database, the log.
	filesKept = 1200
	// ownFiles is how many the daemon always needs: standard streams, poller, database,
	// listeners.
	ownFiles = 16

	// MostAtOnce is how many probes one lane may run at once if files are plenty.
	MostAtOnce = 512
	lanes      = 2
	perProbe   = 2 // a connection, and a lookup of who listens or of a name
	// fewAtOnce is too few probes at once: a provider that hangs makes others wait.
	fewAtOnce = 8
)

// Shares are how this process's limit of open files is allotted.
type Shares struct {
	Limit  uint64 // the limit
	Conns  int    // client connections
	AtOnce int    // probes at once in each lane of the scheduler
	Kept   int    // idle connections to providers kept between probes
}

// Deal allots the files of a limit.
func Deal(limit uint64) Shares {
	conns := connsWithin(limit)
	left := max(0, int(min(limit, 1<<20))-ownFiles-conns)
	return Shares{
		Limit:  limit,
		Conns:  conns,
		AtOnce: min(MostAtOnce, max(1, left/2/lanes/perProbe)),
		Kept:   max(1, left/2),
	}
}

// connsWithin is how many client connections are allowed within a limit of open files.
// Probes have priority: a client can connect again, but a probe without a descriptor
// learns nothing about its provider.
func connsWithin(files uint64) int {
	enough := uint64(0)
	if files > filesKept {
		enough = (files - filesKept) / 2
	}
	return int(min(mostConns, max(enough, min(leastConns, files/4))))
}

// Problem says that the limit is too low for so many providers; empty if it is not.
func (s Shares) Problem(providers int) string {
	if s.AtOnce >= min(providers, fewAtOnce) {
		return ""
	}
	return fmt.Sprintf("the limit of %d open files allows only %d probes at a time for %d providers: raise it (LimitNOFILE= of the service, or ulimit -n)",
		s.Limit, lanes*s.AtOnce, providers)
}
