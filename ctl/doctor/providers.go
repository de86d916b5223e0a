package doctor

import (
	"slices"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// providers says of each whether it can be used and, if not, what to type.
func providers(f *Facts) (all []Finding) {
	if f.RowsErr != nil {
		return one("providers", Skip, f.RowsErr.Message)
	}
	for i := range f.Rows {
		all = append(all, ofRow(f, &f.Rows[i]))
	}
	if len(all) > 0 && Count(all, Skip) == len(all) {
		all = append(all, one("providers", Warn, "none runs that is looked for without a configuration",
			"start one of them, or name yours: providerd config init --write")...)
	}
	if f.Info != nil && len(all) == 0 {
		return one("providers", Warn, "none is watched", "find what runs here: providerctl discover -o toml")
	}
	return all
}

func ofRow(f *Facts, s *provider.Status) Finding {
	found := Finding{Subject: ofProvider, ID: s.ID, Level: Warn, Summary: string(s.State)}
	if s.Reason != "" && s.Reason != provider.OK {
		found.Summary += " (" + string(s.Reason) + ")"
	}
	if s.Detail != "" {
		found.Summary += ": " + s.Detail
	}
	switch {
	case s.Paused:
		found.Summary = "paused; it was " + found.Summary
		found.Fix = []string{"providerctl resume " + provider.ShellWord(s.ID)}
		return found
	case s.Stale && s.Reason != provider.NotChecked:
		found.Summary += "; not checked lately"
	case s.State == provider.StateRunning, s.State == provider.StateStarting, s.RetryAt.After(f.Now):
		found.Level = OK
		return found
	case s.Reason == provider.NoCredentials && Worst(keysOf(f, s.ID)) == Fail:
		found.Fix = []string{"see keys, above"}
		return found
	case unasked(f, s):
		found.Level = Skip
	case s.Reason.NeedsPerson():
		found.Level = Fail
	}
	if s.Hint != "" {
		found.Fix = strings.Split(s.Hint, "\n")
	}
	return found
}

// unasked reports whether a provider is not here, as it lacks a key or nothing listens, and
// nobody has asked for it: it is one of those that are looked for on any machine.
func unasked(f *Facts, s *provider.Status) bool {
	switch {
	case f.Info == nil:
		return false
	case f.Info.ConfigPath == "":
		return s.Reason == provider.NoCredentials || s.Reason == provider.ConnectionRefused
	}
	set := f.Info.Setup
	switch {
	case set == nil:
		return false
	case s.Reason == provider.ConnectionRefused:
		return slices.Contains(set.Detected, s.ID)
	}
	return s.Reason == provider.NoCredentials &&
		slices.ContainsFunc(set.Keys, func(k provider.KeyInUse) bool { return k.ID == s.ID && k.Detected })
}
