package doctor

import (
	"fmt"
	"io/fs"

	"github.com/providerd/providerd/store/provider"
)

// socket says where one was found, and what is odd about the places before.
func socket(f *Facts) (all []Finding) {
	const subject = "socket"
	found := false
	for _, p := range f.Places {
		found = found || p.Err == nil
	}
	for _, p := range f.Places {
		switch {
		case p.Err == nil:
			summary := "found at " + p.Path
			if p.Variable != "" {
				summary += " (" + p.Variable + ")"
			}
			return append(all, Finding{Subject: subject, Level: OK, Summary: summary})
		case p.Exists && p.Absent && p.Mode&fs.ModeSocket != 0:
			all = append(all, left(f, p, found))
		case p.Exists || p.Chosen && !p.Absent || p.Err.Code == provider.Denied:
			all = append(all, unusable(p, found))
		}
	}
	if len(all) == 0 && len(f.Places) > 0 {
		none := Finding{Subject: subject, Level: Skip, Summary: "there is none"}
		for _, p := range f.Places {
			none.Details = append(none.Details, "looked at "+p.Path)
		}
		return []Finding{none}
	}
	return all
}

// left is a socket whose daemon has ended. It is in nobody's way, but every command looks
// there first.
func left(f *Facts, p Place, elsewhere bool) Finding {
	found := Finding{Subject: "socket", Level: OK, Summary: p.Path + " is left from a daemon that has ended"}
	if !elsewhere {
		found.Summary += "; the next start replaces it"
		return found
	}
	remove := "rm " + provider.ShellWord(p.Path)
	if p.UID != f.Me.UID && !f.Me.Root {
		remove = "sudo " + remove
	}
	found.Level, found.Fix = Warn, []string{remove}
	return found
}

// unusable is a place where somebody may be, and cannot be asked.
func unusable(p Place, elsewhere bool) Finding {
	found := Finding{Subject: "socket", Level: Fail, Summary: p.Err.Message}
	if elsewhere {
		found.Level = Warn
	}
	if p.Err.Hint != "" {
		found.Fix = []string{p.Err.Hint}
	}
	if p.Err.Code == provider.Denied && p.UID >= 0 {
		found.Details = []string{fmt.Sprintf("%s belongs to uid %d, mode %04o", p.Path, p.UID, p.Mode.Perm())}
	}
	return found
}
