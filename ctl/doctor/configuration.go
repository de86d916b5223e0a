package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// configuration says which file is in force, what is wrong with it, and whether a start or
// a reload would take the file as it is now.
func configuration(f *Facts) []Finding {
	found := Finding{Subject: "configuration", Level: OK}
	switch {
	case f.Info != nil && f.Info.Setup != nil:
		inForce(f, &found)
	case f.Info != nil:
		found.Summary = orDefaults(f.Info.ConfigPath)
	case !f.owner():
		return one(found.Subject, Skip, "another user's daemon has its own")
	case f.File.Path == "":
		return one(found.Subject, Skip, "its place is not known: neither HOME nor XDG_CONFIG_HOME is set")
	case !f.File.Exists && f.File.Err == "":
		found.Summary = "no file at " + f.File.Path + ": the built-in defaults are in force"
		if f.File.Said != "" && !f.File.Foreign {
			found.raise(Warn, ", with warnings")
			found.Details = lines(f.File.Said)
		}
		return []Finding{found}
	default:
		found.Summary = f.File.Path
	}
	if f.Info == nil || changed(f) {
		onDisk(f, &found)
	}
	return []Finding{found}
}

func orDefaults(path string) string {
	if path == "" {
		return "built-in defaults, no file"
	}
	return path
}

// changed reports whether the file is not the one that the daemon has read.
func changed(f *Facts) bool {
	c := f.Info
	switch {
	case c.Setup == nil || f.File.Err != "":
		return false
	case c.ConfigPath == "" || !f.File.Exists:
		return f.File.Exists != (c.ConfigPath != "") // made, or removed, since
	}
	return f.File.Modified.UnixMilli() != c.Setup.Config.ModifiedAt.UnixMilli()
}

// inForce is what the daemon says of the configuration that it runs with.
func inForce(f *Facts, found *Finding) {
	c := withoutKeys(f.Info.Setup)
	found.Summary = orDefaults(f.Info.ConfigPath)
	if c.Faults > 0 {
		found.raise(Fail, ", with "+counted(c.Faults, "file")+" in it that cannot be used")
	}
	if c.Warnings > 0 {
		found.raise(Warn, ", with "+counted(c.Warnings, "warning"))
	}
	for _, p := range c.Problems {
		found.Details = append(found.Details, quoted(p)...)
		if p.Fix != "" {
			found.Fix = append(found.Fix, p.Fix)
		}
	}
	switch {
	case c.Faults+c.Warnings == 0:
	case len(c.Problems) == 0:
		found.Fix = append(found.Fix, "see which: sudo providerctl doctor")
	case c.Faults > 0:
		found.Fix = append(found.Fix, "then: "+f.admin("providerctl reload"))
	}
	if c.ReloadRefused && !changed(f) {
		found.raise(Warn, "; the last reload was refused, and what was in force before still is")
		found.Fix = append(found.Fix, "see why: "+f.admin("providerctl reload"))
	}
	if len(c.RestartNeeded) > 0 {
		found.raise(Warn, "; waits for a restart: "+strings.Join(c.RestartNeeded, ", "))
		found.Fix = append(found.Fix, f.restart())
	}
}

// quoted shows a problem with its line.
func quoted(p provider.ConfigProblem) []string {
	text := p.Message
	if p.Line > 0 {
		text = fmt.Sprintf("line %d: %s", p.Line, text)
	}
	return append([]string{text}, lines(p.Excerpt)...)
}

// withoutKeys is the configuration without the problems that are told of under keys.
func withoutKeys(s *provider.Setup) provider.ConfigInForce {
	c := s.Config
	c.Problems = slices.DeleteFunc(slices.Clone(c.Problems), func(p provider.ConfigProblem) bool {
		return slices.ContainsFunc(s.Keys, func(k provider.KeyInUse) bool { return isOf(p, k) })
	})
	if len(s.Config.Problems) > 0 { // for administrators: all of them
		c.Faults = 0
		for _, p := range c.Problems {
			if p.ID != "" {
				c.Faults++
			}
		}
		c.Warnings = len(c.Problems) - c.Faults
		return c
	}
	for _, k := range s.Keys {
		switch {
		case k.Problem == "" || k.Source == "":
		case k.Set || missingVariable(k) != "" || c.Faults == 0: // a variable that the file does not name
			c.Warnings = max(0, c.Warnings-1)
		default:
			c.Faults = max(0, c.Faults-1)
		}
	}
	return c
}

// isOf reports whether a problem is that of a key.
func isOf(p provider.ConfigProblem, k provider.KeyInUse) bool {
	return k.Problem != "" && strings.Contains(p.Message, k.Problem) && (p.ID == "" || p.ID == k.ID)
}

// onDisk is what the next start or reload would make of the file as it is now.
func onDisk(f *Facts, found *Finding) {
	file := f.File
	if f.Info != nil {
		why := "; the file has changed since"
		switch {
		case !file.Exists:
			why = "; the file has been removed"
		case f.Info.ConfigPath == "":
			why = "; there is one now at " + file.Path
		}
		found.raise(Warn, why)
	}
	switch {
	case !file.Exists && file.Err == "":
		found.Fix = append(found.Fix, f.admin("providerctl reload"))
	case file.Err != "" && !f.ours():
		found.Summary += ", which you may not read"
		found.Fix = append(found.Fix, "sudo providerctl doctor")
	case file.Err != "":
		found.raise(Fail, ": "+file.Err)
		found.Fix = append(found.Fix, "ls -l "+provider.ShellWord(file.Path))
	case !file.Checked:
		found.Fix = append(found.Fix, f.sudo("providerd config check "+provider.ShellWord(file.Path)))
	case !file.Good && file.Foreign && strings.Contains(file.Said, "permission denied"):
		found.raise(Warn, "; you may not read every file that it names")
		found.Fix = append(found.Fix, "sudo providerctl doctor")
	case !file.Good:
		found.raise(Fail, map[bool]string{true: ", and a reload or the next start would refuse it", false: ", which has errors"}[f.Info != nil])
		found.Details = append(found.Details, lines(file.Said)...)
		then := f.sudo("providerd config check " + provider.ShellWord(file.Path))
		if f.Info != nil {
			then += " && " + f.admin("providerctl reload")
		}
		found.Fix = append(found.Fix, "correct the file, then: "+then)
	default:
		if file.Said != "" && !file.Foreign {
			found.raise(Warn, ", with warnings")
			found.Details = append(found.Details, lines(file.Said)...)
		}
		if f.Info != nil {
			found.Fix = append(found.Fix, f.admin("providerctl reload"))
		}
	}
}

// raise makes a finding at least as grave, and adds why.
func (found *Finding) raise(level Level, why string) {
	found.Summary += why
	if found.Level != Fail {
		found.Level = level
	}
}
