package main

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"github.com/providerd/providerd/daemon"
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/configfile"
	"github.com/providerd/providerd/daemon/service"
	"github.com/providerd/providerd/store/provider"
)

// A serviceView is what the user of the system's service makes of a configuration that
// somebody else checks: root reads everything, and another user less.
type serviceView struct {
	user    configfile.User
	path    string // of its configuration
	systemd bool
}

// viewOfService is nil if the file at path is not the service's, if there is no such
// user, or if we are that user.
func viewOfService(o daemon.Options, path string) *serviceView {
	system := o.Env
	system.System = true
	if !o.Env.ForSystem() && path != config.DefaultPath(system) {
		return nil
	}
	account, err := user.Lookup(service.Account)
	if err != nil {
		return nil
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil || int(uid) == os.Geteuid() { // Windows' accounts have no numbers
		return nil
	}
	v := &serviceView{user: configfile.User{Name: service.Account, UID: uint32(uid)}, path: config.DefaultPath(system)}
	ids, _ := account.GroupIds() // its own at least
	for _, id := range append(ids, account.Gid) {
		if gid, err := strconv.ParseUint(id, 10, 32); err == nil {
			v.user.Groups = append(v.user.Groups, uint32(gid))
		}
	}
	_, err = os.Stat("/run/systemd/system") // sd_booted(3)
	v.systemd = err == nil
	return v
}

// excuses reports whether a fault is ours alone: we may not read a file that the service
// may, or that root passes on to it.
func (v *serviceView) excuses(f config.Fault) bool {
	if v == nil || f.Denied == "" {
		return false
	}
	return v.passed(f.Denied) || v.user.May(f.Denied, false) == nil
}

// passed reports whether root reads a file and systemd passes it on to the service.
func (v *serviceView) passed(path string) bool {
	return v != nil && v.systemd && filepath.Dir(path) == config.KeyFolder
}

// unreadable is what the service's user may not read of a configuration, and its file too
// if that is where the service looks for it.
func (v *serviceView) unreadable(cfg *config.Config) (errs []error, warnings []string) {
	if v == nil {
		return nil, nil
	}
	files := cfg.NamedFiles()
	if cfg.Path == v.path {
		files = append([]config.NamedFile{{Path: cfg.Path, For: "the configuration"}}, files...)
	}
	for _, f := range files {
		if v.passed(f.Path) {
			continue
		}
		if err := v.user.May(f.Path, f.Runs); err != nil {
			errs = append(errs, provider.WithHint(f.For+": "+err.Error(), provider.HintOf(err)))
		} else if why := configfile.HiddenFrom(f.Path); why != "" && v.systemd {
			warnings = append(warnings, f.For+": "+f.Path+": "+why)
		}
	}
	return errs, warnings
}

// joined is one error of several, with the first one's hint; nil of none.
func joined(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	return provider.WithHint(errors.Join(errs...).Error(), provider.HintOf(errs[0]))
}
