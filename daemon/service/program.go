package service

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// plainPath matches a path that needs no quoting in a unit, a script or a property list.
var plainPath = regexp.MustCompile(`^/[A-Za-z0-9._+@/-]+$`)

// hidden are the folders that the system's service cannot see, or that are emptied when the
// machine restarts.
var hidden = []string{"/home/", "/root/", "/run/", "/tmp/", "/var/tmp/", "/dev/"}

// programFits refuses a program that the service could not run, or that somebody
// other than root could replace.
func (s *Service) programFits() error {
	program := s.host.Program
	if s.host.Platform == onWindows {
		return nil
	}
	problem := ""
	switch {
	case !plainPath.MatchString(program):
		problem = "its path has characters other than letters, digits and ._+@-"
	case strings.Contains(program, "/go-build"):
		problem = "go run deletes it afterwards"
	case s.user:
	default:
		for _, dir := range hidden {
			if strings.HasPrefix(program, dir) {
				problem = "services cannot see " + strings.TrimSuffix(dir, "/")
			}
		}
		if problem == "" {
			problem = s.looseProgram()
		}
	}
	if problem == "" {
		return nil
	}
	target := "/usr/local/bin/providerd"
	hint := fmt.Sprintf("sudo install -m 755 %q %s && sudo %s service install", program, target, target)
	switch {
	case program == target:
		hint = fmt.Sprintf("sudo chown root %[1]s && sudo chmod 755 %[1]s && sudo %[1]s service install", target)
	case s.user:
		target = "~/.local/bin/providerd"
		hint = fmt.Sprintf("install -D -m 755 %q %s && %s service install --user", program, target, target)
		if !plainPath.MatchString(s.host.Home) {
			hint = fmt.Sprintf("sudo install -m 755 %q /usr/local/bin/providerd && /usr/local/bin/providerd service install --user", program)
		}
	}
	return provider.WithHint(fmt.Sprintf("the service cannot run %s: %s", program, problem), hint)
}

// looseProgram says why the service's user cannot run the program, or who else could change
// it; empty if it is fine.
func (s *Service) looseProgram() string {
	root, err := os.Stat(s.at("/"))
	if err != nil {
		return err.Error()
	}
	for path := s.host.Program; ; path = filepath.Dir(path) {
		info, err := os.Stat(s.at(path))
		switch {
		case err != nil:
			return err.Error()
		case info.Mode().Perm()&0o001 == 0:
			return fmt.Sprintf("not everybody may enter or run %s (mode %04o)", path, info.Mode().Perm())
		case info.Mode().Perm()&0o002 != 0 && info.Mode()&os.ModeSticky == 0:
			return fmt.Sprintf("everybody may write %s (mode %04o)", path, info.Mode().Perm())
		case ownerOf(info) != ownerOf(root):
			return fmt.Sprintf("%s belongs to uid %d", path, ownerOf(info))
		}
		if path == "/" {
			return ""
		}
	}
}
