package client

import (
	"os"
	"path/filepath"
	"strconv"

	"github.com/providerd/providerd/store/provider"
)

// besideSudo adds to the error of a daemon that is not there that whoever called sudo may
// have meant their own. It is only said: root asks no user's daemon that it did not name.
func besideSudo(e *provider.Error) *provider.Error {
	uid, err := strconv.ParseUint(os.Getenv("SUDO_UID"), 10, 32)
	if os.Geteuid() != 0 || err != nil || uid == 0 {
		return e
	}
	path := filepath.Join("/run/user", strconv.FormatUint(uid, 10), folderName, socketName)
	if !exists(path) {
		return e
	}
	return provider.Errorf(e.Code, "leave sudo out, or name it: providerctl --socket "+path+"; or "+e.Hint,
		"%s; uid %d, who called sudo, has one at %s", e.Message, uid, path)
}
