//go:build unix

package trust_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/providerd/providerd/store/trust"
)

// What is named as insecure is passed through, and nothing else is that everybody may
// write, nor is anything kept in it.
func TestInsecure_MkdirAll(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	named, other := filepath.Join(dir, "named"), filepath.Join(dir, "other")
	for _, open := range []string{named, other, filepath.Join(named, "open")} {
		if err := errors.Join(os.Mkdir(open, 0o700), os.Chmod(open, 0o777)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("named", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	insecure := trust.Insecure{named}
	for path, tt := range map[string]struct{ says, hint string }{
		"named/a/b":  {},
		"link/c":     {},
		"named":      {"named can be written by everybody", "choose a folder in it, such as " + named + "/providerd"},
		"named/open": {named + "/open can be written by everybody", "--insecure-folder " + named + "/open"},
		"other/a":    {"other can be written by everybody", "--insecure-folder " + other},
	} {
		err := insecure.MkdirAll(filepath.Join(dir, path), 0o700)
		var part *trust.PathError
		switch {
		case tt.says == "" && err != nil:
			t.Errorf("%s: %v", path, err)
		case tt.says != "" && (!errors.As(err, &part) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(part.Hint(), tt.hint)):
			t.Errorf("%s: got %v, want %q and %q", path, err, tt.says, tt.hint)
		}
	}
	if err := insecure.MkdirAbove(filepath.Join(named, "s"), 0o755); err != nil {
		t.Errorf("above a path in it: %v", err)
	}
	if err := trust.MkdirAll(filepath.Join(named, "a"), 0o700); err == nil {
		t.Error("it is passed through though nobody named it")
	}
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, mode os.FileMode) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("12345"), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if text, err := trust.ReadFile(write("good", 0o400), 4); err != nil || string(text) != "1234" {
		t.Errorf("got %q, %v", text, err)
	}
	link := filepath.Join(dir, "link")
	if err := errors.Join(os.Symlink("good", link), os.Link(filepath.Join(dir, "good"), filepath.Join(dir, "hard"))); err != nil {
		t.Fatal(err)
	}
	open := write("open/file", 0o600)
	if err := os.Chmod(filepath.Dir(open), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, filepath.Join(dir, "hard"), write("writable", 0o666), open, dir, filepath.Join(dir, "absent")} {
		if text, err := trust.ReadFile(path, 4); err == nil {
			t.Errorf("%s is read: %q", path, text)
		}
	}
}
