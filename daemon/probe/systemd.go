package probe

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"strings"

	"github.com/providerd/providerd/daemon/buses"
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// systemdUnit is a unit of systemd, of the system or of this user. It is the one kind that
// can check a service without a port. It asks the service manager and changes nothing
// (org.freedesktop.systemd1(5)).
var systemdUnit = kind{
	Kind: config.Kind{
		Name:     "systemd",
		Type:     provider.Generic,
		Schemes:  []string{"systemd"},
		Settings: []string{"unit", "bus"},
		Address: func(p *config.Provider) string {
			return (&url.URL{Scheme: "systemd", Host: busOf(p), Path: "/" + p.Unit}).String()
		},
		Check: checkUnit,
		Hints: provider.Hints{
			provider.NotFound:     "there is no such unit: install it, or correct unit and bus, then: providerctl reload",
			provider.NotRunning:   "start it with systemctl start: {endpoint}",
			provider.ServerError:  "it keeps failing and restarting: see why with systemctl status and journalctl",
			provider.Forbidden:    "providerd may not use this bus: for another user's services, run providerd as that user",
			provider.CheckUnknown: "systemd does not answer over D-Bus: check that this machine runs systemd, and that bus is right",
		},
	},
	title: "the expected unit",
	mute:  true,
	peculiar: func(p *config.Provider) (asker, error) {
		bus := busOf(p)
		socket := buses.Socket(bus, os.Getenv)
		return func(ctx context.Context, r *run) finding { return askSystemd(ctx, r, bus, socket, p.Unit) }, nil
	},
}

func busOf(p *config.Provider) string { return cmp.Or(p.Bus, "system") }

func checkUnit(p *config.Provider) error {
	if runtime.GOOS != "linux" {
		return &config.SettingError{Setting: "kind", Problem: "systemd runs only on Linux, and this is " + runtime.GOOS}
	}
	return config.CheckUnit(p.Unit)
}

// A unit is what systemd says about one.
type unit struct {
	name, load, active, sub string
	job                     string // the pending job: "start"

	result   string // of a service: "success", "exit-code", "oom-kill"
	pid      uint32
	restarts uint32
}

// finding reads the states (systemd's src/basic/unit-def.c names them all). How the unit
// was loaded matters only if it does not run: the file of a running service may be gone.
func (u *unit) finding() finding {
	switch {
	case strings.Contains(u.sub, "auto-restart"):
		return u.restarting()
	case u.active == "active", u.active == "reloading", u.active == "refreshing":
		return finding{saw: provider.OK, detail: u.text()}
	case u.active == "activating", u.job == "start": // queued: it waits for another unit
		return finding{saw: provider.Loading, detail: u.text()}
	case u.active == "deactivating":
		return finding{saw: provider.ShuttingDown, detail: u.text()}
	case u.load == "not-found":
		return finding{saw: provider.NotFound, detail: "there is no unit " + u.name}
	case u.load == "masked", u.load == "bad-setting", u.load == "error":
		return finding{saw: provider.UnitFailed, detail: "the unit is not loaded: " + u.load}
	case u.active == "failed":
		return finding{saw: provider.UnitFailed, detail: u.text()}
	case u.active == "inactive", u.active == "maintenance":
		return finding{saw: provider.NotRunning, detail: u.text()}
	}
	return finding{saw: provider.CheckUnknown, detail: u.text()}
}

// restarting is a service that ended, and that systemd will start again after a while.
// systemd calls that activating, even if it never ends (src/core/service.c,
// state_translation_table).
func (u *unit) restarting() finding {
	if u.result == "success" {
		return finding{saw: provider.Loading, detail: u.text()}
	}
	return finding{saw: provider.ServerError, detail: u.text()}
}

// text is "active (running), pid 812, restarted 3 times".
func (u *unit) text() string {
	text := u.active
	if u.sub != "" && u.sub != u.active {
		text += " (" + u.sub + ")"
	}
	if u.result != "" && u.result != "success" {
		text += ", its last run ended with " + u.result
	}
	if u.job != "" {
		text += ", pending job: " + u.job
	}
	if u.pid != 0 {
		text += fmt.Sprintf(", pid %d", u.pid)
	}
	if u.restarts != 0 {
		text += fmt.Sprintf(", restarted %d times", u.restarts)
	}
	return text
}
