package client

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/providerd/providerd/store/provider"
)

// withoutRuntimeFolder adds to the error of a daemon that is not there that the runtime
// folder is not there either. logind makes it at the first login, and removes it, with all
// sockets in it, at the last logout.
func (ms misses) withoutRuntimeFolder(e *provider.Error) *provider.Error {
	for _, m := range ms {
		if m.name != "XDG_RUNTIME_DIR" {
			continue
		}
		dir := filepath.Dir(filepath.Dir(m.path))
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			return e
		}
		hint := e.Hint
		switch usual := usualRuntimeDir(); {
		case dir == usual:
			hint += fmt.Sprintf("; to keep %s after a logout: sudo loginctl enable-linger %d", dir, os.Getuid())
		case exists(usual):
			hint += "; or name the folder that is there: export XDG_RUNTIME_DIR=" + usual
		}
		return provider.Errorf(e.Code, hint, "%s; the folder %s, which XDG_RUNTIME_DIR names, is gone", e.Message, dir)
	}
	return e
}
