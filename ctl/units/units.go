// Package units asks systemd, as the user who runs this program, to start, stop or restart the
// unit of a local server. Systemd and polkit decide whether that user may. The daemon never does
// any of this.
//
// It runs systemctl and journalctl, which ask for a password on a terminal and come with every
// systemd, rather than speaking D-Bus: providerctl stays small. It imports the standard library
// and store/provider.
package units

import (
	"context"
	"strconv"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// A Verb is what systemd is asked to do.
type Verb string

// The verbs, which are also the commands of providerctl and systemctl.
const (
	Start   Verb = provider.ActionStart
	Stop    Verb = provider.ActionStop
	Restart Verb = provider.ActionRestart
)

// Verbs lists them in the order in which people are shown them.
var Verbs = []Verb{Start, Stop, Restart}

// A Unit is a unit of systemd.
type Unit struct {
	Name string
	User bool // of the caller's own systemd, rather than the system's
}

// Of returns the unit that runs a provider's server. Without one, the error says what to add to
// the configuration.
func Of(s *provider.Status) (Unit, error) {
	if s.Client != nil && s.Client.Unit != "" {
		return Unit{s.Client.Unit, s.Client.Bus == "user"}, nil
	}
	if s.Type == provider.Cloud {
		return Unit{}, provider.Errorf("", "its vendor runs it; providerctl diagnose "+provider.ShellWord(s.ID)+" shows what is wrong", "%s is in the cloud, and has no unit to start or stop", s.ID)
	}
	hint := `add unit = "NAME.service", and bus = "user" for a unit of your own, to its [[provider]]: providerd config edit, then: providerctl reload`
	return Unit{}, provider.Errorf("", hint, "no unit is configured for %s", s.ID)
}

// whose are the options of systemctl that name the systemd.
func (u Unit) whose() []string {
	if u.User {
		return []string{"--user"}
	}
	return nil
}

// Line is a command line of systemctl about the unit, for people.
func (u Unit) Line(words ...string) string {
	line := append(append([]string{"systemctl"}, u.whose()...), words...)
	return strings.Join(append(line, provider.ShellWord(u.Name)), " ")
}

// A Standing is what systemd reports about a unit.
type Standing struct {
	Load     string // "loaded", "not-found", "masked", "bad-setting", "error"
	Active   string // "active", "inactive", "failed", "activating", …
	Sub      string
	Result   string // of its last run, for a service: "success", "exit-code", "oom-kill", …
	Status   int    // with which its main process exited, or the signal that ended it
	Restarts int    // by systemd itself, since it was started
	LastPID  int    // of its main process, now or when it last ran
}

const properties = "LoadState,ActiveState,SubState,Result,ExecMainStatus,ExecMainPID,NRestarts"

// Look asks for the standing of a unit, which needs no permission.
func Look(ctx context.Context, u Unit) (Standing, error) {
	out, complaint, code, err := run(ctx, nil, "systemctl", append(u.whose(), "show", "--no-pager", "--property="+properties, "--", u.Name)...)
	if err != nil || code != 0 {
		return Standing{}, u.unreachable(complaint, err)
	}
	var s Standing
	number := func(text string) int {
		n, _ := strconv.Atoi(text) // absent for a unit that is no service
		return n
	}
	for line := range strings.Lines(out) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch name {
		case "LoadState":
			s.Load = value
		case "ActiveState":
			s.Active = value
		case "SubState":
			s.Sub = value
		case "Result":
			s.Result = value
		case "ExecMainStatus":
			s.Status = number(value)
		case "NRestarts":
			s.Restarts = number(value)
		case "ExecMainPID":
			s.LastPID = number(value)
		}
	}
	if s.Load == "" {
		return s, u.unreachable("it reported no state", nil)
	}
	return s, nil
}

// Runs reports whether the unit is active, or about to be.
func (s Standing) Runs() bool {
	return s.Active == "active" || s.Active == "activating" || s.Active == "reloading" || s.Active == "refreshing"
}

// Changes reports whether systemd is starting or stopping it.
func (s Standing) Changes() bool {
	return s.Active == "activating" && !strings.Contains(s.Sub, "auto-restart") || s.Active == "deactivating" || s.Active == "reloading"
}

// Failed reports whether a unit that was started has ended for good, or keeps ending.
func (s Standing) Failed() bool {
	const enough = 2 // restarts by systemd; one may have been all it took
	switch {
	case strings.Contains(s.Sub, "auto-restart"):
		return s.Result != "success" && s.Restarts >= enough
	case s.Active == "failed":
		return true
	}
	return s.Active == "inactive"
}

// String is "active (running)", or "failed (exit-code, status 1)".
func (s Standing) String() string {
	var why []string
	switch {
	case s.Result != "" && s.Result != "success":
		why = append(why, s.Result)
		if s.Status != 0 {
			why = append(why, "status "+strconv.Itoa(s.Status))
		}
	case s.Sub != "" && s.Sub != s.Active:
		why = append(why, s.Sub)
	}
	if s.Restarts > 0 {
		why = append(why, "restarted "+strconv.Itoa(s.Restarts)+"×")
	}
	if len(why) == 0 {
		return s.Active
	}
	return s.Active + " (" + strings.Join(why, ", ") + ")"
}
