package examine

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/doctor"
	"github.com/providerd/providerd/store/trust"
)

const systemConfig = "/etc/providerd/providerd.toml"

// file looks at the configuration file of the daemon that answered or, if none did, of the
// one that would.
func (s *Scene) file(ctx context.Context, f *doctor.Facts) doctor.File {
	file := doctor.File{System: s.isSystem(f)}
	if file.Path = s.configPath(f, file.System); file.Path == "" {
		return file
	}
	file.Foreign = file.System && !f.Me.Root || slices.ContainsFunc(f.Units, func(u doctor.Unit) bool { return u.Installed && u.User != file.System })
	if !s.mayBeRead(f, file.Path) {
		file.Err = "only another user's daemon says that it is one"
		return file
	}
	modified, err := within(func() (time.Time, error) { return readable(file.Path) })
	file.Exists, file.Modified = !modified.IsZero(), modified
	switch {
	case errors.Is(err, fs.ErrNotExist) && f.Info != nil: // it knows about its defaults
		return file
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		file.Err = reason(err)
		return file
	}
	s.check(ctx, f, &file)
	return file
}

// mayBeRead reports whether a path may be looked at. A daemon of another user, who is not
// root, may name any file, to have its lines shown: it is believed only of one that
// everybody can read, and that nobody else can replace.
func (s *Scene) mayBeRead(f *doctor.Facts, path string) bool {
	if f.Info == nil || path == systemConfig || !slices.ContainsFunc(f.Places, func(p doctor.Place) bool {
		return p.Err == nil && p.Listener > 0 && p.Listener != f.Me.UID
	}) {
		return true
	}
	_, err := within(func() (string, error) {
		return trust.Resolve(path, func(part string, info fs.FileInfo) error {
			need := fs.FileMode(0o004)
			if info.IsDir() {
				need = 0o001
			}
			if info.Mode()&fs.ModeSymlink == 0 && info.Mode()&need == 0 {
				return fs.ErrPermission
			}
			return trust.Check(part, info)
		})
	})
	return err == nil || errors.Is(err, fs.ErrNotExist)
}

// readable returns when a file was changed last, also with an error, if it could be seen.
func readable(path string) (modified time.Time, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return modified, err
	case !info.Mode().IsRegular(): // to open a named pipe would wait
		return info.ModTime(), errors.New("is not a plain file")
	}
	f, err := os.Open(path)
	if err == nil {
		f.Close()
	}
	return info.ModTime(), err
}

// check has the providerd beside this program judge the file or, where there is none, what
// it finds without one.
func (s *Scene) check(ctx context.Context, f *doctor.Facts, file *doctor.File) {
	if f.Beside.Path == "" || f.Beside.Problem != "" {
		return
	}
	args := []string{"config", "check"}
	if file.System {
		args = slices.Insert(args, 0, "--system")
	}
	if file.Exists && file.Path != s.defaultConfig(file.System) { // that one has to be found as the daemon finds it
		args = append(args, file.Path)
	}
	_, said, code, err := s.run(ctx, f.Beside.Path, args...)
	if err != nil {
		return
	}
	file.Checked, file.Good = true, code == 0
	for line := range strings.Lines(said) {
		line = strings.TrimPrefix(strings.TrimPrefix(line, "providerd: "), "warning: ")
		if strings.HasPrefix(line, "try: ") { // the doctor says it
			continue
		}
		file.Said += line
	}
}

// isSystem reports whether the daemon that is meant is the whole machine's.
func (s *Scene) isSystem(f *doctor.Facts) bool {
	switch {
	case f.Info != nil && f.Info.Setup != nil:
		return f.Info.Setup.System
	case f.Info != nil:
		return f.Info.Socket == client.SystemSocket()
	case f.Me.Root:
		return true
	}
	for _, p := range f.Places {
		if p.Exists {
			return p.Path == client.SystemSocket()
		}
	}
	own := s.userConfig()
	for _, u := range f.Units {
		if u.Installed {
			return !u.User
		}
	}
	_, err := within(func() (fs.FileInfo, error) { return os.Stat(own) })
	return own == "" || err != nil && exists(systemConfig)
}

// configPath is where the file is, or would be.
func (s *Scene) configPath(f *doctor.Facts, system bool) string {
	switch {
	case f.Info != nil && filepath.IsAbs(f.Info.ConfigPath):
		return f.Info.ConfigPath
	case os.PathSeparator != '/': // Windows has its own places, which the daemon knows
		return ""
	}
	return s.defaultConfig(system)
}

// defaultConfig is where a daemon without --config looks.
func (s *Scene) defaultConfig(system bool) string {
	if system {
		return systemConfig
	}
	return s.userConfig()
}

// userConfig is where a person's own file is, by the XDG specification.
func (s *Scene) userConfig() string { return s.xdg("XDG_CONFIG_HOME", ".config", "providerd.toml") }

func (s *Scene) xdg(variable, below, name string) string {
	dir := s.Getenv(variable)
	if !filepath.IsAbs(dir) {
		home := s.Getenv("HOME")
		if !filepath.IsAbs(home) {
			return ""
		}
		dir = filepath.Join(home, below)
	}
	return filepath.Join(dir, "providerd", name)
}

// stateFolder is where the database is, or would be.
func (s *Scene) stateFolder(f *doctor.Facts) string {
	switch {
	case f.Info != nil:
		return filepath.Dir(f.Info.StatePath)
	case os.PathSeparator != '/':
		return ""
	case f.File.System:
		return "/var/lib/providerd"
	}
	return filepath.Dir(s.xdg("XDG_STATE_HOME", filepath.Join(".local", "state"), "providerd.db"))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// reason is a file error without the path.
func reason(err error) string {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err.Error()
	}
	return err.Error()
}
