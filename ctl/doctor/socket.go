package doctor

import (
	"fmt"
	"io/fs"

	"github.com/providerd/providerd/store/provider"
)

// socket says where one was found, and what is odd about the places before.
func socket(f *Facts) (all []Finding) {
	const subject = "socket"
	for _, p := range f.Places {
		switch {
		case p.Err == nil:
			summary := "found at " + p.Path
			if p.Variable != "" {
				summary += " (" + p.Variable + ")"
			}
			for i := range all { // there is another one
				all[i].Level = Warn
			}
			return append(all, Finding{Subject: subject, Level: OK, Summary: summary})
		case p.Err.Code == provider.Denied:
			found := one(subject, Fail, p.Err.Message, p.Err.Hint)
			if p.UID >= 0 {
				found[0].Details = []string{fmt.Sprintf("%s belongs to uid %d, mode %04o", p.Path, p.UID, p.Mode.Perm())}
			}
			all = append(all, found...)
		case p.Exists && p.Absent && p.Mode&fs.ModeSocket != 0:
			all = append(all, one(subject, Warn, p.Path+" is left from a daemon that has ended")...)
		case p.Exists || p.Chosen:
			all = append(all, one(subject, Fail, p.Err.Message, p.Err.Hint)...)
		}
	}
	if len(all) == 0 && len(f.Places) > 0 {
		found := one(subject, Skip, "there is none")
		for _, p := range f.Places {
			found[0].Details = append(found[0].Details, "looked at "+p.Path)
		}
		return found
	}
	return all
}
