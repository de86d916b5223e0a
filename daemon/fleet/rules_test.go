package fleet

import (
	"fmt"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/fleet/wire"
)

// However rows arrive, all members together make one check for ten probes of the prober.
func TestOwnCheck_AllTogetherAreATenthOfTheProber(t *testing.T) {
	for _, others := range []int{1, 2, 4, 19, 499} {
		for _, step := range []uint64{1, 3, 6, 60} {
			checks, probes := 0, uint64(0)
			each := make([]int, others)
			for probes < uint64(20*rationing*others) {
				for slot := range others {
					if ownCheck(probes, probes+step, others, slot) {
						checks++
						each[slot]++
					}
				}
				probes += step
			}
			if uint64(checks*rationing) > probes {
				t.Errorf("%d others, rows of %d probes: %d checks for %d probes", others, step, checks, probes)
			}
			for slot, n := range each {
				if n < 19 && step <= uint64(rationing*others) {
					t.Errorf("%d others, rows of %d probes: member %d checked %d times", others, step, slot, n)
				}
			}
		}
	}
	if ownCheck(5, 5, 3, 0) || ownCheck(9, 3, 3, 0) || ownCheck(0, 1000, 0, 0) {
		t.Error("checks although there was no probe, or nobody else")
	}
}

// A prober that lies about its count is found out, and an honest one is not checked more often.
func TestCheckAfter_IsLongerThanTheRation(t *testing.T) {
	for _, others := range []int{1, 4, 499} {
		for _, interval := range []time.Duration{2 * time.Second, time.Minute, 10 * time.Minute} {
			ration := time.Duration(rationing*others) * max(interval, time.Minute)
			if got := checkAfter(others, interval); got <= ration || got > 2*ration {
				t.Errorf("%d others, every %v: %v, and the ration is %v", others, interval, got, ration)
			}
		}
	}
}

// One member claims at once, the next half a second later; names that never claim delay
// nobody beyond a bound.
func TestWaitOfRank_OneIsFirst(t *testing.T) {
	var members []string
	for i := range 500 {
		members = append(members, fmt.Sprint("gpu", i))
	}
	var fp wire.FP
	count := map[time.Duration]int{}
	for _, m := range members {
		count[waitOfRank(fp, m, members)]++
	}
	for rank := range longestRank {
		if n := count[time.Duration(rank)*rankWait]; n != 1 {
			t.Errorf("%d members wait as rank %d", n, rank)
		}
	}
	if n := count[longestRank*rankWait]; n != 500-longestRank {
		t.Errorf("%d members wait longest", n)
	}
	if waitOfRank(fp, "alone", nil) != 0 {
		t.Error("a single member waits")
	}
}

func TestStretchOf_GrowsWithTheFleetWithinBounds(t *testing.T) {
	for members, want := range map[int]float64{0: 1, 1: 1, 8: 1, 16: 2, 80: 10, 500: 10} {
		if got := stretchOf(members); got != want {
			t.Errorf("%d members: %v, want %v", members, got, want)
		}
	}
}
