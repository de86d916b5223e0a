package configfile

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// An Editor is a command line that ends when its file is edited.
type Editor string

// EditorOf is the one that a person has chosen, by VISUAL or EDITOR; with a terminal, else
// the first of usual ones that is there.
func EditorOf(getenv func(string) string, terminal bool, lookPath func(string) (string, error)) (Editor, error) {
	if chosen := cmp.Or(strings.TrimSpace(getenv("VISUAL")), strings.TrimSpace(getenv("EDITOR"))); chosen != "" {
		return Editor(chosen), nil
	}
	const hint = "EDITOR=nano providerd config edit"
	if !terminal {
		return "", provider.WithHint("no editor is chosen, and there is no terminal to show one", hint)
	}
	for _, name := range usualEditors {
		if _, err := lookPath(name); err == nil {
			return Editor(name), nil
		}
	}
	return "", provider.WithHint("no editor is chosen, and none of the usual ones is there: "+strings.Join(usualEditors, ", "), hint)
}

// Edit has a file edited. Meanwhile a ctrl-C is the editor's, and any other of the signals
// is handed on to it and ends the edit.
func (e Editor) Edit(file string, signals <-chan os.Signal) error {
	typed := make(chan os.Signal, 1)
	signal.Notify(typed, whileEditing...)
	defer signal.Stop(typed)
	cmd := e.command(file)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return e.failed(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case err := <-done:
			return e.failed(err)
		case s := <-signals:
			if s == os.Interrupt {
				continue
			}
			_ = cmd.Process.Signal(s)
			select {
			case <-done:
				if e.isOne() {
					return fmt.Errorf("the editor was ended (%v)", s)
				}
			case <-time.After(endWithin):
			}
			return &stillRunning{s}
		}
	}
}

// endWithin is how long an editor may take to end, and to save what it can.
const endWithin = 2 * time.Second

// stillRunning is of an editor that a signal did not end, or only the shell above it.
type stillRunning struct{ signal os.Signal }

func (e *stillRunning) Error() string {
	return fmt.Sprintf("ended (%v), and the editor may still run", e.signal)
}

func (e Editor) failed(err error) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit) && exit.ExitCode() == notFound:
		return provider.WithHint(fmt.Sprintf("the editor %q is not there", e), "EDITOR=nano providerd config edit")
	}
	return fmt.Errorf("the editor %q failed: %w", e, err)
}

// notFound is how a shell ends that does not find a command.
const notFound = 127
