package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/providerd/providerd/packaging"
	"github.com/providerd/providerd/store/provider"
)

// Install makes providerd a service that starts with the machine, or with the user's first
// login, and starts it. If it is installed already, its program and service file are
// replaced by this version's, and it is restarted; state and configuration stay.
func (s *Service) Install(ctx context.Context) error {
	for _, check := range []func() error{s.ofTheUser, s.programFits, func() error { return s.allowed("install") }, s.notPackaged, s.ours} {
		if err := check(); err != nil {
			return err
		}
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	done := "installed"
	if s.installed() {
		done = "upgraded"
	}
	if err := s.register(); err != nil {
		return fmt.Errorf("install %s: %w", s.job.name, err)
	}
	if err := s.protect(); err != nil {
		return err
	}
	if err := s.restart(); err != nil {
		return s.failed("start", err)
	}
	how := "started" // only systemd says whether it is ready
	if s.host.Platform == onSystemd {
		how = "running"
	}
	s.say("%s: %s, and %s; ask it with: providerctl status", s.job.name, done, how)
	if s.user && s.host.Platform == onSystemd {
		s.say("it stops when your last session ends; to keep it running: loginctl enable-linger")
	}
	return nil
}

// notPackaged refuses to hide a package's service file behind our own.
func (s *Service) notPackaged() error {
	hint := s.systemctlLine("enable --now")
	if s.installed() { // installed before the package, whose service file it hides
		hint = s.command("uninstall") + " && " + hint
	}
	for _, file := range s.job.packaged {
		if s.exists(file) {
			return provider.WithHint("a package has already installed the service: "+file, hint)
		}
	}
	if s.ofPackage() {
		return provider.WithHint("a package has already installed the service: "+s.job.file,
			"sudo rc-update add providerd && sudo rc-service providerd start")
	}
	return nil
}

// ofPackage reports whether the service file is a package's, where packages and this program
// write to the same place. With systemd each has its own.
func (s *Service) ofPackage() bool {
	if s.host.Platform != onOpenRC || !s.exists(packaging.Program) {
		return false
	}
	text, _, _ := s.read(s.job.file)
	return text == packaging.OpenRC(packaging.Program)
}

// ours refuses to replace a service file that a person wrote, or a link that masks the
// service.
func (s *Service) ours() error {
	if s.job.file == "" || !s.exists(s.job.file) {
		return nil
	}
	info, err := os.Lstat(s.at(s.job.file))
	if err != nil {
		return fmt.Errorf("look at %s: %w", s.job.file, err)
	}
	if info.Mode()&fs.ModeSymlink != 0 && s.host.Platform == onSystemd {
		return provider.WithHint(s.job.file+" is a link: the service may be masked", s.systemctlLine("unmask"))
	}
	text, _, err := s.read(s.job.file)
	if err != nil {
		return err
	}
	if !packaging.Ours(text) {
		return provider.WithHint(s.job.file+" exists and was not written by this program",
			fmt.Sprintf("%smv %s %[2]s.old", s.sudo(), s.job.file))
	}
	return nil
}

// installed reports whether this program put the service there.
func (s *Service) installed() bool {
	if s.job.file != "" {
		return s.exists(s.job.file) && !s.ofPackage()
	}
	return s.known()
}

// prepare makes what the service file relies on. It does not make the credentials folder:
// systemd before 251 does not start a service if that is empty.
func (s *Service) prepare(ctx context.Context) error {
	switch {
	case s.user && s.host.Platform == onLaunchd:
		return os.MkdirAll(s.at(filepath.Join(s.host.Home, "Library/Logs")), 0o700)
	case s.user, s.host.Platform != onSystemd && s.host.Platform != onOpenRC:
		return nil
	}
	if err := s.ensureAccount(ctx); err != nil {
		return err
	}
	if err := os.MkdirAll(s.at("/etc/providerd"), 0o755); err != nil {
		return fmt.Errorf("make the folder of the configuration: %w", err)
	}
	return nil
}

// register installs the service file. kardianos/service does not replace an existing one:
// the old file is set aside, and restored if the installation fails.
func (s *Service) register() error {
	if s.job.file == "" {
		return s.registerAgain()
	}
	file := s.at(s.job.file)
	old := file + ".before"
	replaced := true
	if err := os.Rename(file, old); errors.Is(err, fs.ErrNotExist) {
		replaced = false
	} else if err != nil {
		return err
	}
	err := s.kardianos.Install()
	if err == nil {
		err = s.writeSocketUnit()
	}
	switch {
	case err == nil && replaced:
		return os.Remove(old)
	case err != nil && replaced:
		return errors.Join(err, os.Rename(old, file))
	case err != nil:
		return errors.Join(err, removeIfThere(file))
	}
	return nil
}

// registerAgain replaces a service without a file: Windows keeps services in its registry.
func (s *Service) registerAgain() error {
	if s.known() {
		_ = s.kardianos.Stop() // it may not run
		if err := s.kardianos.Uninstall(); err != nil {
			return err
		}
	}
	return s.kardianos.Install()
}

// socketFile is the option of socket activation, which is not enabled.
const socketFile = "/etc/systemd/system/providerd.socket"

func (s *Service) writeSocketUnit() error {
	if s.user || s.host.Platform != onSystemd {
		return nil
	}
	return os.WriteFile(s.at(socketFile), []byte(packaging.SocketUnit()), 0o644)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
