package portwatch

import (
	"cmp"
	"slices"
)

// A span is ports from first to last.
type span struct{ first, last uint16 }

// spans covers sorted ports with at most so many spans. If there are too few, the
// smallest gaps are covered too: a message about a port between ours costs a look.
func spans(ports []uint16, most int) []span {
	if len(ports) == 0 {
		return nil
	}
	var gaps []int // i: ports[i] does not follow ports[i-1]
	for i := 1; i < len(ports); i++ {
		if ports[i]-ports[i-1] > 1 {
			gaps = append(gaps, i)
		}
	}
	if len(gaps) >= most {
		width := func(i int) int { return int(ports[i] - ports[i-1]) }
		slices.SortStableFunc(gaps, func(a, b int) int { return cmp.Compare(width(b), width(a)) })
		gaps = gaps[:most-1]
		slices.Sort(gaps)
	}
	var all []span
	first := 0
	for _, i := range append(gaps, len(ports)) {
		all = append(all, span{ports[first], ports[i-1]})
		first = i
	}
	return all
}
