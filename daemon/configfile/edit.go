package configfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/trust"
)

// A Verdict is the result of checking a text.
type Verdict struct {
	Err error // nil: it is good
	// Usable means that Err is about something that the text names and that can still be
	// created, such as a key file. A daemon would start with it.
	Usable bool
}

// An Edit is a person's change of the file.
type Edit struct {
	Path string
	// Draft is the copy's first content if there is no file.
	Draft []byte
	Modes Modes // of a new file
	// Editor lets a person change a file, and returns when they are done.
	Editor func(file string) error
	Check  func(text []byte) Verdict
	// Say tells them something; Ask makes them choose one of the letters. Ask is nil if
	// there is nobody to ask.
	Say func(text string)
	Ask func(question string, letters string) byte
}

// An Outcome is how an edit that did not fail ended.
type Outcome struct {
	Path    string // of what was written, without links
	Changed bool   // false: nothing was written
}

// Run lets a person edit a copy, checks it, and replaces the file with it as a whole. Owner,
// mode and access list stay, and a link is followed. It does not replace what somebody else
// wrote meanwhile. On an error the file is unchanged; if the copy has something that would be
// lost, it is kept, and the error says where.
func (e *Edit) Run() (Outcome, error) {
	before, err := read(e.Path)
	if err != nil {
		return Outcome{}, err
	}
	if err := before.writable(); err != nil {
		return Outcome{}, err
	}
	first := before.data
	if !before.here {
		first = e.Draft
	}
	copied, err := newCopy(first)
	if err != nil {
		return Outcome{}, err
	}
	text, err := e.edited(copied, first)
	if err == nil && text != nil {
		if err = before.replace(text, e.Modes); err != nil {
			err = e.notTaken(copied, err)
		} else if before.names > 1 {
			e.Say(fmt.Sprintf("warning: the file has another name (a hard link), which keeps the old text; find it: sudo find / -xdev -inum %d", before.inode))
		}
	}
	if kept := (*keptError)(nil); !errors.As(err, &kept) {
		_ = os.RemoveAll(filepath.Dir(copied))
	}
	return Outcome{before.path, err == nil && text != nil}, err
}

// edited is the edited text; nil if the copy is unchanged.
func (e *Edit) edited(copied string, first []byte) ([]byte, error) {
	for {
		failed := e.Editor(copied)
		text, err := readPlain(copied)
		same := err == nil && bytes.Equal(text, first) && !unfinished(copied, failed)
		switch {
		case failed != nil && (same || errors.Is(err, fs.ErrNotExist)):
			return nil, fmt.Errorf("%w; nothing was changed", failed)
		case failed != nil:
			return nil, e.kept(copied, "", failed)
		case err != nil:
			return nil, e.unreadable(copied, err)
		case same:
			return nil, nil
		case len(bytes.TrimSpace(text)) == 0:
			return nil, errors.New("the edited copy is empty; nothing was changed")
		}
		switch v := e.Check(text); e.choice(v) {
		case 's':
			return text, nil
		case 'q':
			if e.Ask != nil { // they have read it
				return nil, e.kept(copied, "", errors.New("nothing was changed"))
			}
			return nil, e.kept(copied, "\nnothing was changed", v.Err)
		}
	}
}

// unreadable is the error for a copy that is gone or cannot be read.
func (e *Edit) unreadable(copied string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("the editor removed the copy; nothing was changed")
	}
	return e.kept(copied, "\nnothing was changed", fmt.Errorf("read what was edited: %w", err))
}

// unfinished reports whether a failed editor left something that would be lost: it still runs,
// or it saved to another file in the copy's folder, as nano and vim do when a signal ends
// them.
func unfinished(copied string, failed error) bool {
	if failed == nil {
		return false
	}
	files, err := os.ReadDir(filepath.Dir(copied))
	return err == nil && len(files) > 1 || errors.As(failed, new(*stillRunning))
}

// choice is what to do with a text: s saves it, e edits it again, q quits.
func (e *Edit) choice(v Verdict) byte {
	switch {
	case v.Err == nil:
		return 's'
	case e.Ask == nil:
		return 'q'
	}
	e.Say(v.Err.Error())
	if v.Usable {
		return e.Ask("edit again (e), save it all the same (s), or quit and keep the copy (q)?", "esq")
	}
	return e.Ask("edit again (e), or quit and keep the copy (q)?", "eq")
}

// notTaken says why a valid text could not replace the file.
func (e *Edit) notTaken(copied string, err error) error {
	if errors.Is(err, ErrChanged) {
		return &keptError{
			text: fmt.Sprintf("%s: %v; your text is in %s", e.Path, err, copied),
			hint: "diff " + provider.ShellWord(e.Path) + " " + provider.ShellWord(copied),
		}
	}
	hint := "when that is fixed: " + e.takeOver(copied)
	if mounted(err) { // cp can write into it
		hint = e.takeOver(copied)
	}
	return &keptError{text: fmt.Sprintf("%v; your text is in %s", err, copied), cause: err, hint: hint}
}

// kept says where the copy is.
func (e *Edit) kept(copied, more string, err error) error {
	return &keptError{
		text: fmt.Sprintf("%v%s; your text is in %s", err, more, copied), cause: err,
		hint: fmt.Sprintf("correct it, then: providerd config check %s && %s", provider.ShellWord(copied), e.takeOver(copied)),
	}
}

// takeOver is the command that replaces the file with the copy.
func (e *Edit) takeOver(copied string) string {
	line := "cp " + provider.ShellWord(copied) + " " + provider.ShellWord(e.Path)
	if dir := filepath.Dir(e.Path); !exists(dir) {
		line = "mkdir -p " + provider.ShellWord(dir) + " && " + line
	}
	return line
}

// A keptError is an error after which the copy is still needed.
type keptError struct {
	text, hint string
	cause      error
}

func (e *keptError) Error() string { return e.text }
func (e *keptError) Hint() string  { return e.hint }
func (e *keptError) Unwrap() error { return e.cause }

// trustedForRoot refuses root a folder that others can change: they could replace the copy, and
// so change the machine's configuration or have a file shown.
func trustedForRoot(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return trust.Existing(dir)
}

// newCopy creates a file that only we can read, in a folder of its own, as editors put other
// files beside it.
func newCopy(text []byte) (string, error) {
	if err := trustedForRoot(os.TempDir()); err != nil {
		return "", provider.WithHint(fmt.Sprintf("make a copy to edit: %v", err), "choose another folder: TMPDIR=/tmp providerd config edit")
	}
	dir, err := os.MkdirTemp("", "providerd-edit-")
	if err != nil {
		return "", fmt.Errorf("make a copy to edit: %w", err)
	}
	name := filepath.Join(dir, "providerd.toml")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		_ = os.RemoveAll(dir)
		return "", fmt.Errorf("make a copy to edit: %w", err)
	}
	return name, nil
}
