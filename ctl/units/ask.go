package units

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// patience is how long a question that changes nothing may take.
const patience = 10 * time.Second

// Check reports why systemd could not do that at all, before it is asked: there is no such unit,
// it is masked, its file is wrong, or systemd cannot be reached.
func Check(ctx context.Context, v Verb, u Unit) (Standing, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s, err := Look(ctx, u)
	switch {
	case err != nil:
		return s, err
	case s.Runs() && v != Start: // its file may be gone
		return s, nil
	case s.Load == "not-found":
		return s, notFound(ctx, u)
	case s.Load == "masked" && v != Stop:
		return s, provider.Errorf("", u.sudo()+u.Line("unmask"), "%s is masked: nobody can start it", u.Name)
	case (s.Load == "bad-setting" || s.Load == "error") && v != Stop:
		return s, provider.Errorf("", "see: "+u.Line("status"), "the file of %s is wrong (%s)", u.Name, s.Load)
	}
	return s, nil
}

// Do asks systemd, and waits until it has done it, or until ctx ends: systemd then continues. If
// terminal is not nil, it is where systemd may ask for a password; otherwise it never asks.
// Warnings are what systemctl says in spite of a success.
func Do(ctx context.Context, v Verb, u Unit, terminal *os.File) (warnings string, err error) {
	words := u.whose()
	if terminal == nil {
		words = append(words, "--no-ask-password")
	}
	_, complaint, code, err := run(ctx, terminal, "systemctl", append(words, "--no-pager", string(v), "--", u.Name)...)
	complaint = strings.TrimSpace(complaint)
	why := strings.TrimPrefix(firstLine(complaint), "Failed to "+string(v)+" "+u.Name+": ")
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err == nil && code == 0:
		return complaint, nil
	case err == nil && strings.Contains(why, "polkit"): // it is masked, or broken
		return "", provider.Errorf(provider.Denied, "sudo "+u.Line(string(v)), "access denied: polkit cannot be asked whether this user may %s %s: %s", v, u.Name, why)
	case err == nil && isDenied(complaint):
		return "", provider.Errorf(provider.Denied, "sudo "+u.Line(string(v)), "access denied: this user may not %s %s", v, u.Name)
	case err != nil || isUnreachable(complaint):
		return "", u.unreachable(complaint, err)
	}
	return "", provider.Errorf("", "see: "+u.Line("status"), "systemd could not %s %s: %s", v, u.Name, cmp.Or(why, "systemctl ended with "+strconv.Itoa(code)))
}

// isDenied reports whether the user may not do it. With polkit and no password, systemctl says
// "Failed to stop NAME: Interactive authentication required." or, if it is newer, "Access denied as
// the requested operation requires interactive authentication." Without polkit, and after wrong
// passwords, it is "Access denied". A security module's refusal is "Permission denied".
func isDenied(complaint string) bool {
	for _, text := range []string{"Access denied", "Interactive authentication required", "Permission denied"} {
		if strings.Contains(complaint, text) {
			return true
		}
	}
	return false
}

func isUnreachable(complaint string) bool {
	for _, text := range []string{"Failed to connect to", "has not been booted with systemd", "XDG_RUNTIME_DIR not defined"} {
		if strings.Contains(complaint, text) {
			return true
		}
	}
	return false
}

// unreachable is the error if there is no systemd to ask.
func (u Unit) unreachable(complaint string, err error) error {
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return provider.Errorf("", "start and stop the server as its own documentation says", "there is no systemctl: only servers that systemd runs can be started and stopped")
	case errors.Is(err, context.DeadlineExceeded):
		return provider.Errorf(provider.TimedOut, "see: "+u.Line("status"), "systemd did not answer within %v", patience)
	case err != nil:
		return provider.Errorf("", "", "systemctl: %v", err)
	case strings.Contains(complaint, "has not been booted with systemd"), strings.Contains(complaint, "No medium found") && !booted():
		return provider.Errorf("", "start and stop the server where systemd runs, for example outside this container", "systemd does not run here")
	}
	whose, hint := "the system's systemd", "see: systemctl is-system-running"
	if u.User {
		whose, hint = "this user's systemd", "log in as the user who owns "+u.Name+", or let its services run always: sudo loginctl enable-linger $USER"
		if os.Geteuid() == 0 {
			hint = "leave sudo out: " + u.Name + " is a unit of a user, and not of root"
		}
	}
	return provider.Errorf("", hint, "%s cannot be reached: %s", whose, cmp.Or(firstLine(complaint), "it does not answer"))
}

// booted reports whether systemd runs here, as sd_booted(3) does.
func booted() bool {
	info, err := os.Lstat("/run/systemd/system")
	return err == nil && info.IsDir()
}

// notFound is the error if there is no such unit. It names the unit that is meant: one of the
// other systemd, or one with nearly that name.
func notFound(ctx context.Context, u Unit) error {
	other := Unit{u.Name, !u.User}
	if s, err := Look(ctx, other); err == nil && s.Load != "not-found" {
		fix := `leave out bus = "user"`
		if other.User {
			fix = `write bus = "user"`
		}
		return provider.Errorf("", fix+" in its [[provider]]: providerd config edit, then: providerctl reload", "there is no unit %s on that bus, but there is one on the other", u.Name)
	}
	out, _, _, _ := run(ctx, nil, "systemctl", append(u.whose(), "list-unit-files", "--no-legend", "--no-pager", "--plain")...)
	var names []string
	for line := range strings.Lines(out) {
		if name, _, ok := strings.Cut(line, " "); ok {
			names = append(names, name)
		}
	}
	if near := provider.Nearest(u.Name, names); len(near) > 0 {
		return provider.Errorf("", `did you mean: unit = "`+provider.Printable(near[0])+`"; correct it: providerd config edit, then: providerctl reload`, "there is no unit %s", u.Name)
	}
	return provider.Errorf("", "see: "+strings.Join(append(append([]string{"systemctl"}, u.whose()...), "list-unit-files"), " ")+"; correct unit: providerd config edit, then: providerctl reload", "there is no unit %s", u.Name)
}

// sudo precedes a command that only root may run.
func (u Unit) sudo() string {
	if u.User || os.Geteuid() == 0 {
		return ""
	}
	return "sudo "
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
