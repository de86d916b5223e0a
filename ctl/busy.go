package ctl

import (
	"cmp"
	"strconv"

	"github.com/providerd/providerd/store/provider"
)

// An idleness is how soon a provider can work on one more request. Less is sooner.
type idleness struct {
	rank  int
	share float64 // among those of one rank: the requests for each slot
}

// The ranks of idleness. A provider whose load is not known is between one that certainly
// has room and one that may not have any.
const (
	idle        = iota
	hasRoom     // a slot is free
	unknownLoad // it does not report its requests
	works       // it works, and does not report how many slots it has
	full        // no slot is free, or requests wait
)

// idlenessOf derives it from the requests that a provider has; nil: not known.
func idlenessOf(b *provider.Busy) idleness {
	if b == nil {
		return idleness{rank: unknownLoad}
	}
	queue, slots := float64(b.Queue()), float64(max(b.Slots, 1))
	share := (float64(b.Running) + queue) / slots
	switch {
	case b.Running == 0 && queue == 0:
		return idleness{rank: idle}
	case queue > 0 || b.Slots > 0 && b.Running >= b.Slots:
		return idleness{full, share}
	case b.Slots > 0:
		return idleness{hasRoom, share}
	}
	return idleness{works, share}
}

func (i idleness) compare(other idleness) int {
	return cmp.Or(cmp.Compare(i.rank, other.rank), cmp.Compare(i.share, other.share))
}

// busyText is the requests of a provider in words: "2 of 4 running, 3 waiting".
func busyText(b *provider.Busy) string {
	switch {
	case b == nil:
		return "load not known"
	case b.Running == 0 && b.Queue() == 0:
		return "idle"
	}
	text := strconv.Itoa(b.Running)
	if b.Slots > 0 {
		text += " of " + strconv.Itoa(b.Slots)
	}
	text += " running"
	if b.Queue() > 0 {
		text += ", " + strconv.Itoa(b.Queue()) + " waiting"
	}
	return text
}

// Load is the requests of a provider in words; empty if it does not report them.
func Load(s *provider.Status) string {
	if s.Busy == nil {
		return ""
	}
	return busyText(s.Busy)
}
