package configfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/configfile"
	"github.com/providerd/providerd/store/provider"
)

// A session is an edit by a person who does what they are told here.
type session struct {
	t       *testing.T
	path    string
	edit    configfile.Edit
	edits   []string // what each run of the editor writes; "" leaves it
	answers string   // to the questions, one after the other
	asked   []string
	said    []string
	copied  string // where the copy was
}

func newSession(t *testing.T, text string, edits ...string) *session {
	t.Setenv("TMPDIR", t.TempDir())
	s := &session{t: t, path: filepath.Join(t.TempDir(), "providerd.toml"), edits: edits}
	if text != "" {
		put(t, s.path, text)
	}
	s.edit = configfile.Edit{
		Path: s.path, Modes: configfile.OfUser, Editor: s.editor,
		Check: func(text []byte) configfile.Verdict {
			switch {
			case strings.Contains(string(text), "wrong"):
				return configfile.Verdict{Err: errors.New("it is wrong")}
			case strings.Contains(string(text), "no key yet"):
				return configfile.Verdict{Err: errors.New("there is no key"), Usable: true}
			}
			return configfile.Verdict{}
		},
		Say: func(text string) { s.said = append(s.said, text) },
	}
	return s
}

func (s *session) onATerminal(answers string) {
	s.answers = answers
	s.edit.Ask = func(question, letters string) byte {
		s.asked = append(s.asked, question)
		answer := s.answers[0]
		s.answers = s.answers[1:]
		if !strings.ContainsRune(letters, rune(answer)) {
			s.t.Errorf("%c is no answer to %q", answer, question)
		}
		return answer
	}
}

func (s *session) editor(file string) error {
	s.copied = file
	next := s.edits[0]
	s.edits = s.edits[1:]
	if next != "" {
		put(s.t, file, next)
	}
	return nil
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// ends checks how it ended: what the file has, and whether the copy is kept.
func (s *session) ends(err error, file string, kept bool) {
	s.t.Helper()
	if got, readErr := os.ReadFile(s.path); string(got) != file || readErr != nil {
		s.t.Errorf("the file has %q %v, want %q", got, readErr, file)
	}
	onlyThe(s.t, s.path)
	_, statErr := os.Stat(s.copied)
	switch {
	case !kept && !errors.Is(statErr, fs.ErrNotExist):
		s.t.Errorf("the copy is left: %v", statErr)
	case kept && (err == nil || statErr != nil || !strings.Contains(err.Error(), s.copied)):
		s.t.Errorf("the copy is at %s (%v), and the error is %v", s.copied, statErr, err)
	case kept && !strings.Contains(provider.HintOf(err), s.copied):
		s.t.Errorf("the hint is %q", provider.HintOf(err))
	}
}

func TestEdit_WhatIsGoodIsTakenOver(t *testing.T) {
	s := newSession(t, "old", "new")
	out, err := s.edit.Run()
	if err != nil || !out.Changed {
		t.Errorf("%+v %v", out, err)
	}
	s.ends(err, "new", false)
}

func TestEdit_WhatIsBadIsNotAndTheCopyIsKept(t *testing.T) {
	s := newSession(t, "old", "wrong")
	out, err := s.edit.Run()
	if err == nil || out.Changed || !strings.Contains(err.Error(), "it is wrong") {
		t.Errorf("%+v %v", out, err)
	}
	s.ends(err, "old", true)
}

func TestEdit_OnATerminalItIsEditedAgain(t *testing.T) {
	s := newSession(t, "old", "wrong", "wrong still", "new")
	s.onATerminal("ee")
	_, err := s.edit.Run()
	if err != nil || len(s.said) != 2 || s.said[0] != "it is wrong" {
		t.Errorf("%v, said %q", err, s.said)
	}
	s.ends(err, "new", false)

	s = newSession(t, "old", "wrong")
	s.onATerminal("q")
	_, err = s.edit.Run()
	if err == nil || strings.Contains(s.asked[0], "(s)") {
		t.Errorf("%v, asked %q: what is wrong cannot be saved", err, s.asked)
	}
	s.ends(err, "old", true)
}

// The file of a key may come later: the daemon starts without it.
func TestEdit_WhatIsUsableIsSavedIfTheyWant(t *testing.T) {
	s := newSession(t, "old", "no key yet")
	s.onATerminal("s")
	_, err := s.edit.Run()
	if err != nil {
		t.Error(err)
	}
	s.ends(err, "no key yet", false)

	s = newSession(t, "old", "no key yet") // nobody to ask
	_, err = s.edit.Run()
	s.ends(err, "old", true)
}

func TestEdit_NothingSomebodyElseWroteIsLost(t *testing.T) {
	for name, meanwhile := range map[string]func(path string) error{
		"Written":  func(path string) error { return os.WriteFile(path, []byte("theirs"), 0o600) },
		"Replaced": func(path string) error { return replaced(path, "theirs") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSession(t, "old", "mine")
			s.edit.Editor = func(file string) error {
				if err := meanwhile(s.path); err != nil {
					return err
				}
				return s.editor(file)
			}
			out, err := s.edit.Run()
			if out.Changed || err == nil || !strings.Contains(err.Error(), "changed by somebody else") {
				t.Errorf("%+v %v", out, err)
			}
			s.ends(err, "theirs", true)
		})
	}
	t.Run("Begun", func(t *testing.T) {
		s := newSession(t, "", "mine")
		s.edit.Draft = []byte("draft")
		s.edit.Editor = func(file string) error {
			put(t, s.path, "theirs")
			return s.editor(file)
		}
		_, err := s.edit.Run()
		s.ends(err, "theirs", true)
	})
}

func replaced(path, text string) error {
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func TestEdit_ModeAndLinksStay(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such modes")
	}
	s := newSession(t, "old", "new")
	if err := os.Chmod(s.path, 0o640); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link.toml")
	if err := os.Symlink(s.path, link); err != nil {
		t.Fatal(err)
	}
	s.edit.Path = link
	out, err := s.edit.Run()
	if err != nil || out.Path != s.path {
		t.Errorf("%+v %v", out, err)
	}
	s.ends(err, "new", false)
	if to, err := os.Readlink(link); err != nil || to != s.path {
		t.Errorf("the link leads to %q %v", to, err)
	}
	if info, err := os.Stat(s.path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v %v", info.Mode(), err)
	}
}

// An editor that empties its file, as on a full disk, empties nothing.
func TestEdit_AnEmptyCopyIsNotTakenOver(t *testing.T) {
	s := newSession(t, "old", "\n")
	_, err := s.edit.Run()
	if err == nil {
		t.Error("an empty copy is good")
	}
	s.ends(err, "old", false)
}

func TestEdit_AFailedEditorChangesNothing(t *testing.T) {
	killed := errors.New("the editor was killed")
	for name, c := range map[string]struct {
		edits string
		kept  bool
	}{"Unused": {"", false}, "Used": {"half of a", true}} {
		t.Run(name, func(t *testing.T) {
			s := newSession(t, "old", c.edits)
			s.edit.Editor = func(file string) error { return errors.Join(killed, s.editor(file)) }
			_, err := s.edit.Run()
			if !errors.Is(err, killed) {
				t.Error(err)
			}
			s.ends(err, "old", c.kept)
		})
	}
}

func TestEditorOf(t *testing.T) {
	none := func(string) (string, error) { return "", errors.New("not found") }
	nano := func(name string) (string, error) {
		if name == "nano" || name == "notepad" {
			return name, nil
		}
		return none(name)
	}
	for name, c := range map[string]struct {
		vars     map[string]string
		terminal bool
		look     func(string) (string, error)
		want     string
	}{
		"VisualWins":       {map[string]string{"VISUAL": "code --wait", "EDITOR": "ed"}, true, nano, "code --wait"},
		"BlankIsUnset":     {map[string]string{"VISUAL": " ", "EDITOR": "ed"}, false, nano, "ed"},
		"NoneOnATerminal":  {nil, true, nano, "nano"},
		"NoneInAPipe":      {nil, false, nano, ""},
		"NoneAtAllIsThere": {nil, true, none, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := configfile.EditorOf(func(name string) string { return c.vars[name] }, c.terminal, c.look)
			if c.want != "nano" && string(got) != c.want || c.want == "nano" && err != nil {
				t.Errorf("%q %v", got, err)
			}
			if (c.want == "") != (err != nil && provider.HintOf(err) != "") {
				t.Errorf("%v, hint %q", err, provider.HintOf(err))
			}
		})
	}
}
