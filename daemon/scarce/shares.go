package scarce

import "fmt"

const (
	// mostConns is how many connections are enough for anybody.
	mostConns = 4096
	// leastConns is how many there are even where that leaves little for the rest.
	leastConns = 64
	// filesKept is how many open files the rest of the daemon may need: a
	// thousand probes at once, the database, the log.
	filesKept = 1200
	// ownFiles is how many the daemon needs that nobody asks for: standard streams,
	// poller, database, listeners.
	ownFiles = 16

	// MostAtOnce is how many probes may be under way in one lane where files are plenty.
	MostAtOnce = 512
	lanes      = 2
	perProbe   = 2 // a connection, and a look at who listens or a resolver's
	// fewAtOnce is how many probes at once are few: one provider that hangs makes the
	// others wait.
	fewAtOnce = 8
)

// Shares are how the files that this process may have open are dealt out.
type Shares struct {
	Limit  uint64 // how many there are
	Conns  int    // connections of clients
	AtOnce int    // probes under way, in each lane of the scheduler
	Kept   int    // connections to providers that are kept between probes
}

// Deal deals out the files of a limit.
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

// connsWithin is how many connections may be open for a process that may have so
// many files open. Probes have priority: who cannot connect can try again, but a
// probe that finds no descriptor learns nothing of its provider.
func connsWithin(files uint64) int {
	enough := uint64(0)
	if files > filesKept {
		enough = (files - filesKept) / 2
	}
	return int(min(mostConns, max(enough, min(leastConns, files/4))))
}

// Problem says that the limit is too low for so many providers; empty when it is not.
func (s Shares) Problem(providers int) string {
	if s.AtOnce >= min(providers, fewAtOnce) {
		return ""
	}
	return fmt.Sprintf("the limit of %d open files has room for %d probes at a time, of %d providers: raise it: LimitNOFILE= of the service, or ulimit -n",
		s.Limit, lanes*s.AtOnce, providers)
}
