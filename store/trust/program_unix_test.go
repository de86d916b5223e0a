//go:build unix

package trust_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/providerd/providerd/store/trust"
)

// A program is not run if somebody else could put another in its place, and the hint is the
// command that ends that.
func TestProgram(t *testing.T) {
	root := os.Geteuid() == 0
	for name, tc := range map[string]struct {
		change     func(dir string) error // dir/bin/program is a program
		says, hint string                 // of the last part of the path; both empty: it is run
		onlyRoot   bool                   // only root can make the change, or only for root it matters
	}{
		"Ours":            {},
		"ALink":           {change: func(dir string) error { return moved(dir, "elsewhere/program") }},
		"OpenFile":        {change: func(dir string) error { return os.Chmod(dir+"/bin/program", 0o757) }, says: "/bin/program can be written by everybody (mode 0757)", hint: "chmod o-w DIR/bin/program"},
		"OpenFolder":      {change: func(dir string) error { return os.Chmod(dir+"/bin", 0o757) }, says: "/bin can be written by everybody", hint: "chmod o-w DIR/bin"},
		"OpenFolderAbove": {change: func(dir string) error { return os.Chmod(dir, 0o757) }, says: " can be written by everybody", hint: "chmod o-w DIR"},
		"StickyFolder":    {change: func(dir string) error { return os.Chmod(dir+"/bin", 0o777|fs.ModeSticky) }, says: "/bin can be written by everybody", hint: "move it into a folder"},
		"StickyAbove":     {change: func(dir string) error { return os.Chmod(dir, 0o777|fs.ModeSticky) }},
		"LinkIntoSticky": {change: func(dir string) error {
			return errors.Join(moved(dir, "elsewhere/program"), os.Chmod(dir+"/elsewhere", 0o777|fs.ModeSticky))
		}, says: "/elsewhere can be written by everybody", hint: "move it into a folder"},
		"LinkIntoOpen": {change: func(dir string) error {
			return errors.Join(moved(dir, "elsewhere/program"), os.Chmod(dir+"/elsewhere", 0o757))
		}, says: "/elsewhere can be written by everybody", hint: "chmod o-w DIR/elsewhere"},
		"StickyOpenFile": {change: func(dir string) error { return os.Chmod(dir+"/bin/program", 0o757|fs.ModeSticky) }, says: "/bin/program can be written by everybody", hint: "chmod o-w DIR/bin/program"},
		"NotExecutable":  {change: func(dir string) error { return os.Chmod(dir+"/bin/program", 0o644) }, says: "is not executable", hint: "chmod +x DIR/bin/program"},
		"AFolder": {change: func(dir string) error {
			return errors.Join(os.Remove(dir+"/bin/program"), os.Mkdir(dir+"/bin/program", 0o755))
		}, says: "is not a plain file", hint: "move it away"},
		"AnothersFile":   {change: func(dir string) error { return os.Chown(dir+"/bin/program", 1234, 0) }, says: "/bin/program belongs to uid 1234", hint: "chown root DIR/bin/program", onlyRoot: true},
		"AnothersFolder": {change: func(dir string) error { return os.Chown(dir+"/bin", 1234, 0) }, says: "/bin belongs to uid 1234", hint: "chown root DIR/bin", onlyRoot: true},
		"AnothersHome":   {change: func(dir string) error { return os.Chown(dir, 1234, 0) }, says: " belongs to uid 1234", hint: "move it into a folder", onlyRoot: true},
		"AnothersLink": {change: func(dir string) error {
			return errors.Join(moved(dir, "elsewhere/program"), os.Lchown(dir+"/bin/program", 1234, 0))
		}, says: "/bin/program belongs to uid 1234", hint: "chown -h root DIR/bin/program", onlyRoot: true},
		"GroupsFolder": {change: func(dir string) error { return errors.Join(os.Chown(dir+"/bin", 0, 1234), os.Chmod(dir+"/bin", 0o775)) },
			says: "/bin can be written by group 1234 (mode 0775)", hint: "chmod g-w DIR/bin", onlyRoot: true},
		"GroupsFile": {change: func(dir string) error {
			return errors.Join(os.Chown(dir+"/bin/program", 0, 1234), os.Chmod(dir+"/bin/program", 0o775))
		}, says: "/bin/program can be written by group 1234", hint: "chmod g-w DIR/bin/program", onlyRoot: true},
		"AllOfAFolder": {change: func(dir string) error { return os.Chmod(dir+"/bin", 0o777) }, says: "/bin can be written by everybody", hint: "chmod go-w DIR/bin", onlyRoot: true},
		"RootsGroup": {change: func(dir string) error { return errors.Join(os.Chown(dir+"/bin", 0, 0), os.Chmod(dir+"/bin", 0o775)) },
			says: "/bin can be written by group 0 (mode 0775)", hint: "chmod g-w DIR/bin", onlyRoot: true},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.onlyRoot && !root {
				t.Skip("only root can change the owner of a file")
			}
			dir, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "bin", "program")
			err = errors.Join(os.Mkdir(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755), os.Chmod(path, 0o755))
			if tc.change != nil {
				err = errors.Join(err, tc.change(dir))
			}
			if err != nil {
				t.Fatal(err)
			}
			err = trust.Program(path)
			if tc.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var refused *trust.ProgramError
			if !errors.As(err, &refused) {
				t.Fatalf("got %v", err)
			}
			if hint := strings.ReplaceAll(tc.hint, "DIR", dir); !strings.Contains(err.Error(), tc.says) || !strings.HasPrefix(refused.Hint(), hint) {
				t.Errorf("got %v, hint %q", err, refused.Hint())
			}
		})
	}
	if err := trust.Program(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of a file that is not there: %v", err)
	}
}

// moved moves dir/bin/program, and leaves a link to it.
func moved(dir, to string) error {
	to = filepath.Join(dir, to)
	return errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.Rename(dir+"/bin/program", to), os.Symlink(to, dir+"/bin/program"))
}
