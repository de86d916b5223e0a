//go:build unix

package configfile

import (
	"os"
	"os/exec"
	"syscall"
)

var usualEditors = []string{"sensible-editor", "editor", "nano", "vim", "vi"}

// whileEditing are the signals that a terminal sends to all who run on it.
var whileEditing = []os.Signal{syscall.SIGINT, syscall.SIGQUIT}

// command leaves the words to a shell, as others who read EDITOR do: it may have
// arguments, and quotes.
func (e Editor) command(file string) *exec.Cmd {
	return exec.Command("/bin/sh", "-c", string(e)+` "$1"`, "sh", file)
}
