package ctl

import (
	"fmt"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// maintainedUntil is until when a provider is in maintenance; zero: it is not.
func maintainedUntil(id string, opts TableOptions) provider.Time {
	for _, m := range opts.maintained {
		if m.ID == id && m.Until.After(opts.Now) {
			return m.Until
		}
	}
	return provider.Time{}
}

// Upkeep is one line about those of the rows that are in maintenance; empty if none is.
func Upkeep(rows []provider.Status, all []provider.Maintenance, now time.Time) string {
	return strings.TrimSuffix(upkeep(rows, TableOptions{Now: now, maintained: all}), "\n")
}

// upkeep is one line about those of the rows that are in maintenance.
func upkeep(rows []provider.Status, opts TableOptions) string {
	const most = 5 // are named
	if len(opts.maintained) == 0 {
		return ""
	}
	var named []string
	more := 0
	for i := range rows {
		until := maintainedUntil(rows[i].ID, opts)
		switch {
		case until.IsZero():
		case len(named) == most:
			more++
		default:
			named = append(named, provider.Printable(rows[i].ID)+" until "+clock(until, opts.Now))
		}
	}
	if len(named) == 0 {
		return ""
	}
	text := "in maintenance: " + strings.Join(named, ", ")
	if more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return dimmed(strings.Join(wrap(text, opts.Width), "\n")+"\n", opts)
}
