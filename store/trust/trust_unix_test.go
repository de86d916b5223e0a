//go:build unix

package trust_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/providerd/providerd/store/trust"
)

func TestExisting(t *testing.T) {
	const absent = "it is not there"
	dir := t.TempDir()
	mkdir := func(name string, mode os.FileMode) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := errors.Join(os.Mkdir(name, 0o700), os.Chmod(name, mode)); err != nil {
			t.Fatal(err)
		}
	}
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	mkdir("closed", 0o755)
	mkdir("group", 0o775)
	mkdir("open", 0o777)
	mkdir("open/closed", 0o700)
	mkdir("sticky", 0o777|os.ModeSticky)
	mkdir("sticky/closed", 0o700)
	link("closed", "link")
	link("link", "link2")
	link("open/closed", "intoOpen")
	link("round", "round")
	link("nowhere", "dangling")
	for name, says := range map[string]string{
		"closed": "", "group": "", "sticky": "", "sticky/closed": "", "link": "", "link2": "",
		"open":          "open can be written by everybody (mode 0777)",
		"open/closed":   "open can be written by everybody",
		"open/absent/x": "open can be written by everybody",
		"intoOpen":      "open can be written by everybody",
		"round":         "too many symbolic links",
		"absent/too":    absent, "dangling": absent,
	} {
		err := trust.Existing(filepath.Join(dir, name))
		var part *trust.PathError
		switch {
		case says == absent && errors.Is(err, fs.ErrNotExist):
		case says == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case says != "" && (!errors.As(err, &part) || !strings.Contains(err.Error(), says) || !strings.Contains(part.Hint(), part.Path)):
			t.Errorf("%s: got %v, want %q", name, err, says)
		}
	}
}

// The way is the kernel's: ".." goes up from the target of a link, not from the link.
func TestResolve(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		os.MkdirAll(filepath.Join(dir, "a", "b"), 0o700), os.Mkdir(filepath.Join(dir, "c"), 0o700),
		os.WriteFile(filepath.Join(dir, "a", "file"), nil, 0o600), os.WriteFile(filepath.Join(dir, "file"), nil, 0o600),
		os.Symlink("../a/./b", filepath.Join(dir, "c", "link")),
		os.Symlink(dir+"/c/link/../file", filepath.Join(dir, "c", "far")),
	)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct {
		leads string
		met   string // of what is below dir
	}{
		"a/b":            {"a/b", "a a/b"},
		"c/link":         {"a/b", "c c/link a a/b"},
		"c/link/../file": {"a/file", "c c/link a a/b a/file"},
		"c/far":          {"a/file", "c c/far c c/link a a/b a/file"},
		"./a//b/../file": {"a/file", "a a/b a/file"},
	} {
		var met []string
		got, err := trust.Resolve(dir+"/"+path, func(path string, _ os.FileInfo) error {
			if name, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(name) && name != "." {
				met = append(met, name)
			}
			return nil
		})
		if err != nil || got != filepath.Join(dir, want.leads) || strings.Join(met, " ") != want.met {
			t.Errorf("%s leads to %s by %q (%v), want %s by %q", path, got, met, err, want.leads, want.met)
		}
	}
}

func TestMkdirAll(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "dangling")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{
		"a/b/c": nil, "a/b": nil, "file": syscall.ENOTDIR, "file/x": syscall.ENOTDIR, "dangling/x": os.ErrNotExist,
	} {
		name = filepath.Join(dir, name)
		err := trust.MkdirAll(name, 0o700)
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
		if info, err := os.Stat(name); want == nil && (err != nil || info.Mode().Perm() != 0o700) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("it made what a link leads to")
	}
}

// Open does not wait for a pipe, and does not write to a file with two names.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	f, err := trust.Open(file, os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	pipe := filepath.Join(dir, "pipe")
	hard, soft := filepath.Join(dir, "hard"), filepath.Join(dir, "soft")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.Symlink(file, soft)); err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{pipe: "not a plain file", soft: "symbolic link", dir: "not a plain file"} {
		if _, err := trust.Open(name, os.O_CREATE, 0o600); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want %q", name, err, says)
		}
	}
	if err := os.Link(file, hard); err != nil {
		t.Fatal(err)
	}
	var refused *trust.FileError
	if _, err := trust.Open(hard, 0, 0); !errors.As(err, &refused) || !strings.Contains(err.Error(), "hard link") || !strings.Contains(refused.Hint(), "-samefile "+hard) {
		t.Errorf("got %v", err)
	}
}
