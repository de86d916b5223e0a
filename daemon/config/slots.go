package config

import (
	"fmt"
	"strings"
	"time"
)

// Slots are how many callers may use a provider at a time, of those who ask for a slot, and
// the least time between two starts. Number 0 means that nobody can ask.
type Slots struct {
	Number int
	Gap    time.Duration
}

const (
	exampleSlots = "slots = 4"
	maxSlots     = 1000
	minGap       = time.Millisecond
	maxGap       = time.Hour
)

// slots reads the settings of a provider's slots.
func (t *table) slots() Slots {
	s := Slots{
		Number: t.count("slots", maxSlots, exampleSlots),
		Gap:    t.duration("slot_gap", minGap, maxGap, "250ms"),
	}
	if s.Gap > 0 && t.values["slots"] == nil {
		t.reject(t.name("slot_gap"), flawf("add "+exampleSlots, "slot_gap needs slots"))
	}
	return s
}

func (s Slots) show(b *strings.Builder) {
	if s.Number == 0 {
		return
	}
	fmt.Fprintf(b, "slots = %d\n", s.Number)
	if s.Gap > 0 {
		writeText(b, "slot_gap", showDuration(s.Gap))
	}
}
