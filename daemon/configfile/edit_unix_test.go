//go:build unix

package configfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/configfile"
	"github.com/providerd/providerd/store/provider"
)

// Neither the file nor the copy has to be one that can be read to its end.
func TestEdit_WaitsForNoPipe(t *testing.T) {
	pipe := func(path string) error {
		_ = os.Remove(path)
		return syscall.Mkfifo(path, 0o600)
	}
	t.Run("TheFile", func(t *testing.T) {
		s := newSession(t, "")
		if err := pipe(s.path); err != nil {
			t.Fatal(err)
		}
		if _, err := s.edit.Run(); err == nil || !strings.Contains(err.Error(), "is not a plain file") {
			t.Error(err)
		}
	})
	t.Run("TheFileMeanwhile", func(t *testing.T) {
		s := newSession(t, "old", "new")
		s.edit.Editor = func(file string) error { return errors.Join(pipe(s.path), s.editor(file)) }
		if _, err := s.edit.Run(); err == nil || !strings.Contains(err.Error(), "changed by somebody else") {
			t.Error(err)
		}
	})
	for name, of := range map[string]func(path string) error{
		"Pipe":   pipe,
		"Device": func(path string) error { return errors.Join(os.Remove(path), os.Symlink("/dev/zero", path)) },
		"Large":  func(path string) error { return os.Truncate(path, 5<<20) },
	} {
		t.Run("TheCopyIs"+name, func(t *testing.T) {
			s := newSession(t, "old")
			s.edit.Editor = func(file string) error {
				s.copied = file
				return of(file)
			}
			_, err := s.edit.Run()
			s.ends(err, "old", true)
		})
	}
}

// A link that leads through another to nothing yet leads to the place of the new file.
func TestEdit_ALinkOfALinkToNothing(t *testing.T) {
	s := newSession(t, "", "new")
	dir := t.TempDir()
	if err := errors.Join(os.Symlink("second.toml", filepath.Join(dir, "first.toml")), os.Symlink(s.path, filepath.Join(dir, "second.toml"))); err != nil {
		t.Fatal(err)
	}
	s.edit.Path, s.edit.Draft = filepath.Join(dir, "first.toml"), []byte("draft")
	_, err := s.edit.Run()
	s.ends(err, "new", false)
	if err := errors.Join(os.Symlink("b", filepath.Join(dir, "a")), os.Symlink("a", filepath.Join(dir, "b"))); err != nil {
		t.Fatal(err)
	}
	s.edit.Path = filepath.Join(dir, "a")
	if _, err := s.edit.Run(); err == nil {
		t.Error("links in a circle lead somewhere")
	}
}

// Another name of the file keeps the old text, which is said.
func TestEdit_AHardLinkIsNamed(t *testing.T) {
	s := newSession(t, "old", "new")
	other := filepath.Join(t.TempDir(), "other.toml")
	if err := os.Link(s.path, other); err != nil {
		t.Skip(err)
	}
	_, err := s.edit.Run()
	s.ends(err, "new", false)
	if len(s.said) != 1 || !strings.Contains(s.said[0], "hard link") {
		t.Errorf("said %q", s.said)
	}
}

// What is to be typed can be typed as it is.
func TestEdit_PathsAreQuoted(t *testing.T) {
	s := newSession(t, "", "wrong")
	s.path = filepath.Join(t.TempDir(), "it's a $HOME")
	put(t, s.path, "old")
	s.edit.Path = s.path
	_, err := s.edit.Run()
	if hint := provider.HintOf(err); !strings.Contains(hint, `it'\''s a $HOME'`) {
		t.Errorf("hint %q", hint)
	}
}

// A signal ends the editor too, and what it saved in its last moment is kept.
func TestEditor_HandsASignalOn(t *testing.T) {
	for name, c := range map[string]struct {
		editor string
		signal os.Signal
		says   string
		kept   string // a file beside the copy; empty: nothing is kept
	}{
		"Unused":      {`ready; exec sleep 60`, syscall.SIGTERM, "the editor was ended (terminated)", ""},
		"SavesAtLast": {`trap 'echo new >"$0.save"; exit 1' HUP; ready; while :; do sleep 0.05; done`, syscall.SIGHUP, "ended (hangup)", "providerd.toml.save"},
		"OfAShell":    {`ready; exec sleep 1`, syscall.SIGTERM, "the editor may still run", "providerd.toml"},
		"StaysOpen":   {`trap "" TERM; ready; exec sleep 3`, syscall.SIGTERM, "the editor may still run", "providerd.toml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			script, up := filepath.Join(dir, "editor"), filepath.Join(dir, "up")
			put(t, script, strings.ReplaceAll(c.editor, "ready", "touch "+up))
			signals := make(chan os.Signal, 1)
			go func() {
				for _, err := os.Stat(up); errors.Is(err, fs.ErrNotExist); _, err = os.Stat(up) {
					time.Sleep(time.Millisecond)
				}
				signals <- os.Interrupt // is the editor's
				signals <- c.signal
			}()
			path := filepath.Join(dir, "providerd.toml")
			put(t, path, "old")
			e := configfile.Edit{
				Path: path, Modes: configfile.OfUser, Say: func(string) {},
				Editor: func(file string) error {
					line := `sh -c '. ` + script + `'`
					if name == "OfAShell" {
						line = "true && " + line
					}
					return configfile.Editor(line).Edit(file, signals)
				},
				Check: func([]byte) (v configfile.Verdict) { return v },
			}
			out, err := e.Run()
			if err == nil || out.Changed || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%+v %v", out, err)
			}
			_, copied, kept := strings.Cut(err.Error(), "your text is in ")
			if kept != (c.kept != "") {
				t.Fatal(err)
			}
			if kept {
				defer os.RemoveAll(filepath.Dir(copied))
				if _, err := os.Stat(filepath.Join(filepath.Dir(copied), c.kept)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
