package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/providerd/providerd/store/trust"
)

// foreign returns an [*Error] if another user can change the file at the default path.
// Variables are inherited, for example by su, and who writes the file gets the rights of the
// daemon's user.
func (e Env) foreign(path string) error {
	if e.ReadFile != nil || e.ForSystem() { // not a real file, or the path does not come from a variable
		return nil
	}
	_, err := trust.Resolve(path, trust.Check)
	var part *trust.PathError
	if !errors.As(err, &part) {
		return nil // reading the file reports the problem
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	fix := "if you mean it: providerd --config PATH; else: set HOME to your own home"
	if filepath.IsAbs(e.get("XDG_CONFIG_HOME")) {
		fix = "if you mean it: providerd --config PATH; else: unset XDG_CONFIG_HOME"
	}
	return &Error{Path: path, cause: part, Problems: []Problem{{Message: "the configuration is not used: " + part.Error(), Fix: fix}}}
}
