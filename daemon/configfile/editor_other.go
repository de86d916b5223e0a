//go:build !unix

package configfile

import (
	"os"
	"os/exec"
	"strings"
)

var usualEditors = []string{"notepad"}

var whileEditing = []os.Signal{os.Interrupt}

// isOne: there is no shell here.
func (e Editor) isOne() bool { return true }

func (e Editor) command(file string) *exec.Cmd {
	words := strings.Fields(string(e))
	return exec.Command(words[0], append(words[1:], file)...)
}
