package configfile

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"

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

// Edit has a file edited. A ctrl-C is the editor's meanwhile.
func (e Editor) Edit(file string) error {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, whileEditing...)
	defer signal.Stop(interrupts)
	cmd := e.command(file)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
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
