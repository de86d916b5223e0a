package fleet

import (
	"time"

	"github.com/providerd/providerd/daemon/fleet/wire"
)

const (
	touchEvery   = time.Minute       // a row that does not change is written again, to show that it is true
	servedWithin = 150 * time.Second // a claim whose row was not written for so long is not served
	rankWait     = 500 * time.Millisecond
	longestRank  = 20      // members that list a provider and never claim it delay the others no longer
	rationing    = 10      // the prober makes this many probes for one check of all others together
	mostMembers  = 1000    // further members, and what they say, are ignored
	mostTags     = 200_000 // of all members together
	mostAsks     = 8       // refreshes of one provider that wait for their answer

	tickEvery    = 5 * time.Second  // between two looks at what depends on time alone
	hostEvery    = 5 * time.Second  // between two writes of this machine's own servers
	openWithin   = 15 * time.Second // hundreds that join at once wait for each other
	reopenFirst  = 2 * time.Second  // between two tries to join
	reopenLast   = 8 * time.Second  // less than a lease, which etcd extends when it comes back
	steadyAfter  = time.Minute      // a session that lasted for so long is a success
	takenFor     = 20 * time.Second // the lease of a member that crashed is over by then
	leaveWithin  = 900 * time.Millisecond
	writeWithin  = 3 * time.Second
	writesAtOnce = 8
)

// waitOfRank is how long a candidate waits before it claims. The first does not.
func waitOfRank(fp wire.FP, self string, others []string) time.Duration {
	own, rank := wire.Rank(fp, self), 0
	for _, o := range others {
		if o != self && wire.Rank(fp, o) < own {
			rank++
		}
	}
	return time.Duration(min(rank, longestRank)) * rankWait
}

// stretchOf is how much longer intervals are while this machine is alone. A fleet that loses
// its store sends not much more than it did before.
func stretchOf(members int) float64 { return min(max(float64(members)/8, 1), 10) }

// ownCheck reports whether it is this member's turn to check a provider, after its prober went
// from one count of probes to another. others is how many members list it besides the prober,
// and slot is the place of this one among them.
//
// # The bound of a lie
//
// A prober that lies is found out by one member after at most
//
//	rationing × others × interval
//
// of its probes, and with others members that begin at different places, by some member after
// rationing × interval. If it also lies about how many probes it made, checkAfter bounds it.
// A report or a request with max_age finds it out at once.
func ownCheck(from, to uint64, others, slot int) bool {
	if others < 1 || to <= from {
		return false
	}
	period := uint64(rationing * others)
	place := uint64(rationing * (slot + 1))
	next := from - from%period + place // the first count at this place that is after from
	if next <= from {
		next += period
	}
	return next <= to
}

// checkAfter is the time after which a member checks, whatever the prober says. It is longer
// than an honest prober takes for the probes that ownCheck waits for.
func checkAfter(others int, interval time.Duration) time.Duration {
	return time.Duration(3*rationing/2*max(others, 1)) * max(interval, time.Minute)
}
