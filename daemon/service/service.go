// Package service installs providerd with the machine's service manager, uninstalls it, and
// starts and stops it. It supports systemd, OpenRC, launchd and Windows, all through
// kardianos/service, with the service files of package packaging.
//
// It is for the command line. Nothing here runs in the daemon, except what a Windows service
// must report to its manager.
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

// Platforms, by kardianos/service's names.
const (
	onSystemd = "linux-systemd"
	onOpenRC  = "linux-openrc"
	onLaunchd = "darwin-launchd"
	onWindows = "windows-service"
)

// Account is the user that the system's service runs as, and the group whose members may
// administer it.
const Account = "providerd"

// A Host is what a service needs to know of the machine.
type Host struct {
	// Platform is the service manager, as kardianos/service names it.
	Platform string
	// Root is put before each path that is read or written; empty for /.
	Root string
	// UID is the user's id; on Windows 0 for an elevated administrator, otherwise -1.
	UID int
	// Program is the absolute path of this executable.
	Program string
	// Home is the user's folder.
	Home string
	// Getenv looks up a variable.
	Getenv func(string) string
	// HasUser and HasGroup report whether there is an account of that name.
	HasUser, HasGroup func(name string) bool
	// LookPath finds a command; Run runs one with that input and waits for it.
	LookPath func(name string) (string, error)
	Run      func(ctx context.Context, input, name string, args ...string) (output string, err error)
	// New is kardianos/service's.
	New func(service.Interface, *service.Config) (service.Service, error)
}

// A Service is providerd as a service, installed or not.
type Service struct {
	host      Host
	user      bool      // of this user alone
	out       io.Writer // for messages to people
	job       job
	kardianos service.Service
}

// New describes providerd as a service on a host: the machine's, or with user the caller's
// own. It changes nothing.
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

// supported refuses service managers for which we have no service file.
func (s *Service) supported() error {
	switch s.host.Platform {
	case onSystemd, onLaunchd:
		return nil
	case onOpenRC, onWindows:
		if s.user {
			return provider.WithHint("this service manager has no services for single users ("+s.host.Platform+")",
				"run providerd in the foreground, or install the machine's: "+s.machines("install"))
		}
		return nil
	}
	hint := "run it in the foreground, or under your own supervisor: providerd"
	if !s.user {
		hint = "run it in the foreground: providerd, or under your own supervisor: providerd --system"
	}
	return provider.WithHint("no supported service manager runs here: systemd, OpenRC, launchd or Windows", hint)
}

// allowed refuses a caller who may not change the service, with the command that would work.
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

// ofTheUser refuses a user's service where it cannot work: for root, and without a running
// user service manager.
func (s *Service) ofTheUser() error {
	if !s.user {
		return nil
	}
	if s.host.UID == 0 {
		return provider.WithHint("a user's own service is not for root", "as that user, without sudo: "+s.command("install")+"; or the machine's: "+s.machines("install"))
	}
	if s.host.Platform != onSystemd {
		return nil
	}
	run, usual := s.host.Getenv("XDG_RUNTIME_DIR"), fmt.Sprintf("/run/user/%d", s.host.UID)
	switch {
	case run != "" && s.exists(filepath.Join(run, "systemd")):
		return nil
	case run == "" && s.exists(usual+"/systemd"):
		return provider.WithHint("cannot reach your service manager: XDG_RUNTIME_DIR is not set", "export XDG_RUNTIME_DIR="+usual)
	}
	return provider.WithHint("your service manager is not running: perhaps you became this user through su or sudo, without a login session",
		fmt.Sprintf("sudo loginctl enable-linger %d; export XDG_RUNTIME_DIR=%s", s.host.UID, usual))
}

// command is the command line that does that with this service.
func (s *Service) command(verb string) string {
	if s.user {
		return s.typed() + " service " + verb + " --user"
	}
	return s.machines(verb)
}

// machines is the command line that does that with the machine's service.
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
	switch filepath.Dir(program) { // in everybody's PATH, and in sudo's
	case "/usr/bin", "/usr/local/bin", "/bin":
		return "providerd"
	}
	if strings.ContainsRune(program, ' ') {
		return `"` + program + `"`
	}
	return program
}
