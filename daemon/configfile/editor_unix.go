//go:build unix

package configfile

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
)

var usualEditors = []string{"sensible-editor", "editor", "nano", "vim", "vi"}

// whileEditing are the signals that a terminal sends to all who run on it.
var whileEditing = []os.Signal{syscall.SIGINT, syscall.SIGQUIT}

// command leaves the words to a shell, as others who read EDITOR do: it may have
// arguments, and quotes. The shell becomes the editor where it can, so that a signal
// reaches that.
func (e Editor) command(file string) *exec.Cmd {
	line := string(e) + ` "$1"`
	if e.isOne() {
		line = "exec " + line
	}
	return exec.Command("/bin/sh", "-c", line, "sh", file)
}

// isOne reports whether the line is one program with its arguments, and nothing that only
// a shell can do.
func (e Editor) isOne() bool {
	first, _, _ := strings.Cut(strings.TrimSpace(string(e)), " ")
	if strings.Contains(first, "=") || slices.Contains([]string{"command", "exec", "eval", ".", "if", "!", "{"}, first) {
		return false
	}
	quote := byte(0)
	for i := 0; i < len(e); i++ {
		switch c := e[i]; {
		case c == '\\' && quote != '\'':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case strings.IndexByte(";&|()<>\n", c) >= 0:
			return false
		}
	}
	return true
}
