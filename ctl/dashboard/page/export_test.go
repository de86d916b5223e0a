package page

import "github.com/providerd/providerd/ctl/units"

// Begin begins an action.
func (a *Actions) Begin(id string, unit units.Unit, verb units.Verb) error {
	return a.begin(id, unit, verb)
}

// Shown reports whether a view of the provider shows an action.
func (a *Actions) Shown(id string) bool { return a.of(id) != nil }
