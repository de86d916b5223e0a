// Package service puts providerd under the service manager of the machine, takes
// it away again, starts and stops it: systemd, OpenRC, launchd and Windows' own,
// all through kardianos/service, with the texts of package packaging.
//
// It is for the command line: nothing here runs in the daemon, but for what a
// Windows service has to tell its manager.
package service

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/kardianos/service"

	"github.com/providerd/providerd/store/provider"
)

// Platforms, as kardianos/service names them.
const (
	onSystemd = "linux-systemd"
	onOpenRC  = "linux-openrc"
	onLaunchd = "darwin-launchd"
	onWindows = "windows-service"
)

// account is the user that the system's service runs as, and the group whose
// members may administer it.
const account = "providerd"

// A Host is the machine, as far as a service depends on it.
type Host struct {
	// Platform is the service manager, as kardianos/service names it.
	Platform string
	// Root is put before each path that is looked at or written; empty for /.
	Root string
	// UID is the user's number; on Windows 0 for an administrator with rights
	// raised, else -1.
	UID int
	// Program is the absolute path of this executable.
	Program string
	// Home is the user's folder.
	Home string
	// Getenv looks up a variable.
	Getenv func(string) string
	// HasUser and HasGroup report whether there is an account of that name.
	HasUser, HasGroup func(name string) bool
	// LookPath finds a command, and Run runs one to its end with that input.
	LookPath func(name string) (string, error)
	Run      func(ctx context.Context, input, name string, args ...string) (output string, err error)
	// New is kardianos/service's.
	New func(service.Interface, *service.Config) (service.Service, error)
}

// A Service is providerd as one, installed or not.
type Service struct {
	host      Host
	user      bool      // of this user alone
	out       io.Writer // what was done, for people
	job       job
	kardianos service.Service
}

// New finds out how providerd is a service on that host: the machine's, or with
// user the caller's own. It changes nothing.
func New(h Host, user bool, out io.Writer) (*Service, error) {
	s := &Service{host: h, user: user, out: out}
	if err := s.supported(); err != nil {
		return nil, err
	}
	s.job = s.describe()
	var err error
	if s.kardianos, err = h.New(nil, &s.job.config); err != nil {
		return nil, fmt.Errorf("ask the service manager (%s): %w", h.Platform, err)
	}
	return s, nil
}

// supported refuses what there are no texts of ours for.
func (s *Service) supported() error {
	switch s.host.Platform {
	case onSystemd, onLaunchd:
		return nil
	case onOpenRC, onWindows:
		if s.user {
			return provider.WithHint("services of one user are not known to this service manager ("+s.host.Platform+")",
				"run providerd in the foreground, or install the machine's: "+s.machines("install"))
		}
		return nil
	}
	return provider.WithHint("no service manager that providerd knows runs here: systemd, OpenRC, launchd or Windows",
		"run it in the foreground: providerd, or under the supervisor that you have: providerd --system")
}

// allowed refuses who may not change the service, with the command that would work.
func (s *Service) allowed(verb string) error {
	if s.user || s.host.UID == 0 {
		return nil
	}
	who := "root"
	if s.host.Platform == onWindows {
		who = "an administrator"
	}
	return provider.WithHint("access denied: only "+who+" may "+verb+" the service", s.command(verb))
}

// ofTheUser refuses a user's service where it could not work: for root, and for
// whoever has no service manager running.
func (s *Service) ofTheUser() error {
	if !s.user {
		return nil
	}
	if s.host.UID == 0 {
		return provider.WithHint("a user's own service is not for root", "without sudo, as that user: "+s.command("install")+"; or the machine's: "+s.machines("install"))
	}
	if s.host.Platform != onSystemd {
		return nil
	}
	run, usual := s.host.Getenv("XDG_RUNTIME_DIR"), fmt.Sprintf("/run/user/%d", s.host.UID)
	switch {
	case run != "" && s.exists(filepath.Join(run, "systemd")):
		return nil
	case run == "" && s.exists(usual+"/systemd"):
		return provider.WithHint("XDG_RUNTIME_DIR is not set, so that your service manager cannot be reached", "export XDG_RUNTIME_DIR="+usual)
	}
	return provider.WithHint("no service manager of yours is running: you are not logged in by the login program, but by su or sudo perhaps",
		fmt.Sprintf("sudo loginctl enable-linger %d; export XDG_RUNTIME_DIR=%s", s.host.UID, usual))
}

// command is what to type to do that with this service.
func (s *Service) command(verb string) string {
	if s.user {
		return s.typed() + " service " + verb + " --user"
	}
	return s.machines(verb)
}

// machines is what to type to do that with the whole machine's service.
func (s *Service) machines(verb string) string {
	line := s.typed() + " service " + verb
	if s.host.Platform == onWindows {
		return "in a terminal opened as administrator: " + line
	}
	return "sudo " + line
}

// typed is how to call this program.
func (s *Service) typed() string {
	program := s.host.Program
	switch filepath.Dir(program) { // where sudo looks too, and everybody
	case "/usr/bin", "/usr/local/bin", "/bin":
		return "providerd"
	}
	if strings.ContainsRune(program, ' ') {
		return `"` + program + `"`
	}
	return program
}
