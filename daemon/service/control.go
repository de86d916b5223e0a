package service

import (
	"context"
	"errors"
	"fmt"

	"github.com/kardianos/service"

	"github.com/providerd/providerd/store/provider"
)

// Uninstall stops the service and removes it. The configuration, the state and the account
// stay. It is no error if the service is not installed.
func (s *Service) Uninstall(ctx context.Context) error {
	for _, check := range []func() error{s.ofTheUser, func() error { return s.allowed("uninstall") }, s.notByPackage, s.ours} {
		if err := check(); err != nil {
			return err
		}
	}
	if !s.installed() {
		s.say("%s: it is not installed", s.job.name)
		return nil
	}
	if err := s.kardianos.Stop(); err != nil && s.host.Platform == onSystemd {
		return s.failed("stop", err)
	} // elsewhere it is an error to stop a service that does not run
	if err := s.removeSocketUnit(ctx); err != nil {
		return err
	}
	if err := s.kardianos.Uninstall(); err != nil && s.installed() {
		return fmt.Errorf("uninstall %s: %w", s.job.name, err)
	}
	if s.host.Platform == onSystemd {
		_, _ = s.systemctl(ctx, "reset-failed", "providerd.service") // an error means that there was nothing to reset
	}
	s.say("%s: uninstalled; its configuration and state are kept: %s", s.job.name, s.kept())
	return nil
}

// notByPackage refuses to remove what a package installed.
func (s *Service) notByPackage() error {
	if err := s.notPackaged(); err != nil && !s.installed() {
		hint := s.systemctlLine("disable --now")
		if s.host.Platform == onOpenRC {
			hint = "sudo rc-service providerd stop && sudo rc-update del providerd"
		}
		return provider.WithHint(err.Error(), "remove the package, or: "+hint)
	}
	return nil
}

func (s *Service) removeSocketUnit(ctx context.Context) error {
	if s.user || s.host.Platform != onSystemd || !s.exists(socketFile) {
		return nil
	}
	if _, err := s.systemctl(ctx, "disable", "--now", "providerd.socket"); err != nil {
		return fmt.Errorf("uninstall providerd.socket: %w", err)
	}
	return removeIfThere(s.at(socketFile))
}

// kept are the places that uninstalling leaves.
func (s *Service) kept() string {
	switch {
	case s.user:
		return "providerd in ~/.config and ~/.local/state"
	case s.host.Platform == onWindows:
		return `%ProgramData%\providerd`
	}
	return "/etc/providerd, /var/lib/providerd"
}

// Start starts the service.
func (s *Service) Start(context.Context) error { return s.order("start", s.kardianos.Start) }

// Stop stops the service until it is started again, or the machine restarts.
func (s *Service) Stop(context.Context) error { return s.order("stop", s.kardianos.Stop) }

// Restart stops the service, if it runs, and starts it.
func (s *Service) Restart(context.Context) error { return s.order("restart", s.restart) }

// restart uses kardianos/service's Restart where that works for a stopped service.
func (s *Service) restart() error {
	if s.host.Platform == onSystemd {
		return s.kardianos.Restart()
	}
	_ = s.kardianos.Stop() // it may not run
	return s.kardianos.Start()
}

func (s *Service) order(verb string, do func() error) error {
	if err := s.ofTheUser(); err != nil {
		return err
	}
	if !s.known() {
		return s.notInstalled()
	}
	if err := s.allowed(verb); err != nil {
		return err
	}
	if err := do(); err != nil {
		return s.failed(verb, err)
	}
	s.say("%s: %s", s.job.name, map[string]string{"start": "started", "stop": "stopped", "restart": "restarted"}[verb])
	return nil
}

// known reports whether the service manager knows the service, whoever installed it.
func (s *Service) known() bool {
	if s.job.file == "" {
		_, err := s.kardianos.Status()
		return !errors.Is(err, service.ErrNotInstalled)
	}
	for _, file := range append([]string{s.job.file}, s.job.packaged...) {
		if s.exists(file) {
			return true
		}
	}
	return false
}

func (s *Service) notInstalled() error {
	return provider.WithHint(s.job.name+" is not installed", s.command("install"))
}

// failed points to the log: kardianos/service reports only an exit status.
func (s *Service) failed(verb string, err error) error {
	return provider.WithHint(fmt.Sprintf("%s %s: %v", verb, s.job.name, err), s.job.log)
}

// systemctl calls the system's or the user's manager.
func (s *Service) systemctl(ctx context.Context, args ...string) (string, error) {
	if s.user {
		args = append([]string{"--user"}, args...)
	}
	return s.host.Run(ctx, "", "systemctl", args...)
}

// systemctlLine is the command line that does that with the service.
func (s *Service) systemctlLine(verb string) string {
	if s.user {
		return "systemctl --user " + verb + " providerd"
	}
	return "sudo systemctl " + verb + " providerd"
}

func (s *Service) sudo() string {
	if s.user {
		return ""
	}
	return "sudo "
}

func (s *Service) say(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }
