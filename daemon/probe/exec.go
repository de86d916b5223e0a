package probe

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/scarce"
	"github.com/providerd/providerd/store/provider"
)

// execCheck is a plug-in: a program whose exit code is the result of a check, like those of
// Nagios (www.monitoring-plugins.org/doc/guidelines.html, "Plugin Return Codes"): 0 OK, 1
// WARNING, 2 CRITICAL, 3 UNKNOWN, and a first line for people. No shell interprets the
// command. execrun.go runs it.
var execCheck = kind{
	Kind: config.Kind{
		Name:     "exec",
		Type:     provider.Generic,
		Schemes:  []string{"exec"},
		Settings: []string{"command"},
		Address:  addressOfPlugin,
		Check:    checkPlugin,
		Hints: provider.Hints{
			provider.NotFound:  "there is no such program: install it, or correct command, then: providerctl reload",
			provider.Forbidden: "providerd may not run this program: make it executable (chmod +x), and its folders accessible",
		},
	},
	title: "the expected check",
	mute:  true,
	peculiar: func(p *config.Provider) (asker, error) {
		return func(ctx context.Context, r *run) finding { return runPlugin(ctx, r, p.Command) }, nil
	},
}

// addressOfPlugin names only the program: arguments may hold a password.
func addressOfPlugin(p *config.Provider) string {
	if len(p.Command) == 0 {
		return "exec:"
	}
	path := filepath.ToSlash(p.Command[0])
	if !strings.HasPrefix(path, "/") { // C:/check.exe
		path = "/" + path
	}
	return (&url.URL{Scheme: "exec", Path: path, OmitHost: true}).String()
}

func checkPlugin(p *config.Provider) error {
	const fix = `command = ["/usr/lib/nagios/plugins/check_load", "-w", "5"]`
	switch {
	case len(p.Command) == 0:
		return &config.SettingError{Setting: "command", Problem: "it is missing", Fix: fix}
	case !filepath.IsAbs(p.Command[0]):
		return &config.SettingError{Setting: "command", Problem: "the program is not an absolute path", Fix: fix}
	}
	return nil
}

var returnCodes = map[int]provider.Reason{
	0: provider.OK,
	1: provider.CheckWarning,
	2: provider.CheckCritical,
	3: provider.CheckUnknown,
}

// notStarted explains why there was no process.
func (r *run) notStarted(path string, err error) finding {
	detail := strings.TrimPrefix(err.Error(), "fork/exec ")
	switch {
	case scarce.Is(err) || errors.Is(err, syscall.EAGAIN): // the latter: out of processes or threads
		return r.ranOut(err, detail)
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(path); err == nil {
			detail = path + ": the interpreter named in its first line does not exist"
		}
		return finding{saw: provider.NotFound, detail: detail}
	case errors.Is(err, fs.ErrPermission):
		return finding{saw: provider.Forbidden, detail: detail}
	}
	return finding{saw: provider.CheckUnknown, detail: detail}
}
