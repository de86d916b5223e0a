package config

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// exampleUnit shows the setting unit in errors.
const exampleUnit = `unit = "ollama.service"`

// serverUnit checks the unit of systemd that runs the server. A kind whose address is its
// unit has a check of its own.
func (t *table) serverUnit(p *Provider, kind *Kind) {
	if kind.takes("unit") {
		return
	}
	switch {
	case t.values["unit"] == nil && t.values["bus"] != nil:
		t.reject(t.name("bus"), flawf("leave it out, or write "+exampleUnit, "bus says whose systemd owns the unit, and there is no unit"))
	case p.Unit == "":
	case kind.Type == provider.Cloud && !p.OnThisMachine():
		t.reject(t.name("unit"), flawf("leave it out", "unit is for a server on this machine, and this provider is in the cloud"))
	case t.env.OS != "" && t.env.OS != "linux":
		t.reject(t.name("unit"), flawf("leave it out", "systemd runs only on Linux, and this is %s", t.env.OS))
	default:
		if err := CheckUnit(p.Unit); err != nil {
			t.rejectFor(err)
		}
	}
}

// unit is the name of a unit of systemd.
func (t *table) unit() string {
	unit, ok := t.text("unit", exampleUnit)
	if ok && unit == "" {
		t.reject(t.at("unit"), flawf("write "+exampleUnit, "unit is empty"))
	}
	return unit
}

// bus says whether unit is one of the system's or the user's.
func (t *table) bus() string {
	const example = `bus = "user", or leave it out for the system's`
	bus, ok := t.text("bus", example)
	if ok && bus != "system" && bus != "user" {
		t.reject(t.at("bus"), flawf("write "+example, "bus is %s: it must be system or user", quote(bus)))
	}
	return bus
}

// unitName accepts what systemd takes for a unit that can run, and so no template, which
// has nothing after its @ (systemd.unit(5), "Description"). It begins with no dash, which
// systemctl would take for an option.
var unitName = regexp.MustCompile(`^[A-Za-z0-9:_.\\][A-Za-z0-9:_.\\-]*(@[A-Za-z0-9:_.\\@-]+)?\.(service|socket|target|timer|path|mount|automount|swap|slice|scope|device)$`)

// CheckUnit refuses what cannot be the name of a unit that runs. The error is a
// [*SettingError] of the setting unit.
func CheckUnit(unit string) error {
	wrong := func(problem, fix string) error {
		return &SettingError{Setting: "unit", Problem: problem, Fix: fix}
	}
	switch {
	case unit == "":
		return wrong("it is missing", exampleUnit)
	case len(unit) > 255: // UNIT_NAME_MAX
		return wrong("it is longer than 255 characters", exampleUnit)
	case unitName.MatchString(unit), rootSlice(unit):
		return nil
	case strings.Contains(unit, "@.") && strings.Count(unit, ".") == 1:
		return wrong("it is a template: the instance is missing", fmt.Sprintf("unit = %q", strings.Replace(unit, "@.", "@1.", 1)))
	case unitName.MatchString(unit + ".service"):
		return wrong("its type is missing", fmt.Sprintf("unit = %q", unit+".service"))
	}
	return wrong(fmt.Sprintf("%q is not the name of a unit", unit), exampleUnit)
}

// rootSlice reports whether it is one of the two units whose name is a dash.
func rootSlice(unit string) bool { return unit == "-.slice" || unit == "-.mount" }

// ownsServer reports whether unit runs the server, rather than being what is probed.
func (p *Provider) ownsServer() bool {
	return p.Unit != "" && !strings.HasPrefix(p.BaseURL, "systemd:")
}
