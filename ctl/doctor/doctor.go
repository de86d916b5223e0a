// Package doctor tells what is wrong with a daemon and its surroundings, and what to type.
//
// Its [Facts] are gathered elsewhere, by ctl/examine, while the daemon may not run, hang,
// be old, or not let the caller in: so any of them may be missing. Each check is a
// function of the facts alone, in the file of its subject, and a line in the table below.
package doctor

import (
	"cmp"
	"slices"
)

// A Level says how much a finding matters.
type Level string

const (
	OK   Level = "ok"   // nothing to do
	Skip Level = "skip" // it could not be looked at, and another finding says why; or nobody asked for it
	Warn Level = "warn" // worth knowing, or not as it should be; it may pass by itself
	Fail Level = "fail" // it lasts until a person acts
)

// A Finding is what one check has to say.
type Finding struct {
	Subject string   `json:"subject"`
	ID      string   `json:"id,omitempty"` // of the provider that it is about
	Level   Level    `json:"level"`
	Summary string   `json:"summary"`           // one line
	Details []string `json:"details,omitempty"` // lines that are quoted, such as those of a log
	Fix     []string `json:"fix,omitempty"`     // what to type or to do, one thing a line
}

// checks are all that is looked at, in the order in which it is told. A new one is a line
// here and a file. One that has nothing to say returns nothing.
var checks = []func(*Facts) []Finding{
	daemon, socket, rights, unit, configuration, keys, proxies, clock, disk, versions, notifications, fleet, providers,
}

// Examine makes every check.
func Examine(f *Facts) (all []Finding) {
	for _, check := range checks {
		all = append(all, check(f)...)
	}
	return all
}

// Worst is the level of the gravest of the findings.
func Worst(all []Finding) Level {
	weights := []Level{Skip, OK, Warn, Fail}
	if len(all) == 0 {
		return OK
	}
	worst := slices.MaxFunc(all, func(a, b Finding) int {
		return cmp.Compare(slices.Index(weights, a.Level), slices.Index(weights, b.Level))
	}).Level
	return cmp.Or(map[Level]Level{Skip: OK}[worst], worst)
}

// Count is how many findings have a level.
func Count(all []Finding, level Level) (n int) {
	for _, f := range all {
		if f.Level == level {
			n++
		}
	}
	return n
}

// Title is what a finding is called for people: the provider, where it is one's row.
func (f *Finding) Title() string {
	if f.Subject == ofProvider {
		return f.ID
	}
	return f.Subject
}

// ofProvider is the subject of a provider's row.
const ofProvider = "provider"

// one is a finding alone.
func one(subject string, level Level, summary string, fix ...string) []Finding {
	return []Finding{{Subject: subject, Level: level, Summary: summary, Fix: fix}}
}
