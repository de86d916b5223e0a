package provider

import (
	"fmt"
	"strings"
)

// A Doubt is what was last seen of a provider if that is not yet enough to change its row:
// it has to be seen again or, while Of is absent, other providers are probed to find out
// whether this machine is at fault. Saw is ok if a provider that was failing may be
// healthy again.
type Doubt struct {
	Saw    Reason `json:"saw"`              // the rule that matched
	Detail string `json:"detail,omitempty"` // one printable line, without secrets
	Count  int    `json:"count,omitempty"`  // how often in succession
	Of     int    `json:"of,omitempty"`     // how often in succession changes the row
}

// Healthy reports whether a provider that was failing may be healthy again.
func (d *Doubt) Healthy() bool { return d.Saw.Healthy() }

const (
	doubtAgain  = "in doubt ("
	doubtOthers = "in doubt, while others are asked: "
	recovering  = "recovering ("
)

// String is the doubt in words, for people.
func (d *Doubt) String() string {
	seen := string(d.Saw)
	if d.Detail != "" {
		seen += ": " + d.Detail
	}
	switch {
	case d.Of == 0:
		return doubtOthers + seen
	case d.Healthy():
		return fmt.Sprintf(recovering+"%d of %d good answers)", d.Count, d.Of)
	}
	return fmt.Sprintf(doubtAgain+"%d of %d): %s", d.Count, d.Of, seen)
}

// ParseDoubt reads a doubt from the detail of an older daemon, whose rows had no field for
// it; nil if there is none. It is the inverse of [Doubt.String].
func ParseDoubt(detail string) *Doubt {
	d := new(Doubt)
	seen, others := strings.CutPrefix(detail, doubtOthers)
	switch {
	case others:
	case strings.HasPrefix(detail, recovering):
		_, err := fmt.Sscanf(detail, recovering+"%d of %d good answers)", &d.Count, &d.Of)
		if err != nil || d.Of <= 0 {
			return nil
		}
		d.Saw = OK
		return d
	case !strings.HasPrefix(detail, doubtAgain):
		return nil
	default:
		counts, rest, found := strings.Cut(detail, "): ")
		_, err := fmt.Sscanf(counts+")", doubtAgain+"%d of %d)", &d.Count, &d.Of)
		if err != nil || !found || d.Of <= 0 {
			return nil
		}
		seen = rest
	}
	saw, why, _ := strings.Cut(seen, ": ")
	d.Saw, d.Detail = Reason(saw), why
	return d
}
