package doctor

import (
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// keys says of each what is odd about it, and never what it is.
func keys(f *Facts) (all []Finding) {
	if f.Info == nil || f.Info.Setup == nil {
		return nil
	}
	good := 0
	for _, k := range f.Info.Setup.Keys {
		if k.Problem == "" {
			good++
			continue
		}
		all = append(all, oddKey(f, k)...)
	}
	if len(all) == 0 && good > 0 {
		return one("keys", OK, counted(good, "key")+" found, and nothing odd about their form")
	}
	return all
}

// keysOf is what is odd about one provider's key; nothing where there is none.
func keysOf(f *Facts, id string) []Finding {
	if f.Info == nil || f.Info.Setup == nil {
		return nil
	}
	for _, k := range f.Info.Setup.Keys {
		if k.ID == id && k.Problem != "" {
			return oddKey(f, k)
		}
	}
	return nil
}

func oddKey(f *Facts, k provider.KeyInUse) []Finding {
	found := Finding{Subject: "keys", ID: k.ID, Level: Fail, Summary: k.ID + ": " + k.Problem}
	missing := missingVariable(k)
	switch {
	case k.Set && usable(f, k.ID):
		found.Level, found.Summary = Warn, found.Summary+"; it is accepted all the same"
	case k.Set: // its text says what to do
	case missing != "" && f.KeysSet[missing]:
		found.Summary += " for the daemon, though it is in your shell"
		found.Fix = f.variable(missing)
	case missing != "" && (k.Detected || f.Info.ConfigPath == ""):
		return nil // nobody asked for it
	case missing != "":
		found.Fix = f.variable(missing)
	case strings.HasPrefix(k.Source, "env "):
		found.Fix = f.variable(strings.TrimPrefix(k.Source, "env "))
	default:
		found.Fix = []string{"correct the key, then: " + f.admin("providerctl reload")}
	}
	for _, p := range f.Info.Setup.Config.Problems {
		switch {
		case !isOf(p, k):
			continue
		case p.Excerpt != "":
			found.Details = quoted(p)[1:]
		}
		if p.Fix != "" && !k.Set && strings.HasPrefix(k.Source, "file ") {
			found.Fix = []string{p.Fix}
			if !strings.Contains(p.Fix, "restart") {
				found.Fix = append(found.Fix, "then: "+f.admin("providerctl reload"))
			}
		}
	}
	return []Finding{found}
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
	set := f.KeysSet[name]
	name = provider.ShellWord(name)
	switch {
	case f.system() && f.isService():
		return []string{"add the line " + name + "=KEY: sudoedit /etc/providerd/environment", "then: " + f.restart()}
	case f.isService() && set:
		return []string{"systemctl --user import-environment " + name, "then: " + f.restart()}
	case f.isService():
		return []string{"export " + name + "=KEY && systemctl --user import-environment " + name, "then: " + f.restart()}
	}
	return []string{"set " + name + " where providerd is started", "then: " + f.restart()}
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
