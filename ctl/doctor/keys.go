package doctor

import (
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// keys says of each what is odd about it, and never what it is.
func keys(f *Facts) (all []Finding) {
	const subject = "keys"
	if f.Info == nil || f.Info.Setup == nil {
		return nil
	}
	good := 0
	for _, k := range f.Info.Setup.Keys {
		found := Finding{Subject: subject, Level: Fail, Summary: k.ID + ": " + k.Problem}
		missing := missingVariable(k)
		switch {
		case k.Problem == "":
			good++
			continue
		case k.Set && usable(f, k.ID):
			found.Level, found.Summary = Warn, found.Summary+"; it is accepted all the same"
		case k.Set: // its text says what to do
		case missing != "" && f.KeysSet[missing]:
			found.Summary += " for the daemon, though it is in your shell"
			found.Fix = f.variable(missing)
		case missing != "" && f.Info.ConfigPath == "":
			continue // nobody asked for it
		case missing != "":
			found.Fix = f.variable(missing)
		case strings.HasPrefix(k.Source, "env "):
			found.Fix = f.variable(strings.TrimPrefix(k.Source, "env "))
		default:
			found.Fix = []string{"correct the key, then: " + f.admin("providerctl reload")}
		}
		for _, p := range f.Info.Setup.Config.Problems {
			if isOf(p, k) && p.Excerpt != "" {
				found.Details = quoted(p)[1:]
			}
		}
		all = append(all, found)
	}
	if len(all) == 0 && good > 0 {
		return one(subject, OK, counted(good, "key")+" found, and nothing odd about their form")
	}
	return all
}

// missingVariable is the variable that should hold the key and is not set, if that is all
// that is wrong.
func missingVariable(k provider.KeyInUse) string {
	for _, end := range []string{" is not set", " is empty"} {
		if name, ok := strings.CutSuffix(k.Problem, end); ok && !strings.Contains(name, " ") {
			return name
		}
	}
	return ""
}

// variable is how the daemon gets a variable.
func (f *Facts) variable(name string) []string {
	if f.system() {
		return []string{"add " + name + "=KEY to it: sudoedit /etc/providerd/environment", "then: " + f.restart()}
	}
	return []string{"start it where " + name + " is set: " + f.restart()}
}

// usable reports whether the provider answers as it should.
func usable(f *Facts, id string) bool {
	for _, row := range f.Rows {
		if row.ID == id {
			return row.State == provider.StateRunning
		}
	}
	return false
}
