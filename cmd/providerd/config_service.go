package main

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

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
	sandbox configfile.Sandbox
}

// viewOfService is nil if the file at path is not the service's, if there is no such
// user, or if we are that user.
func viewOfService(o daemon.Options, path string) *serviceView {
	system := o.Env
	system.System = true
	if !o.Env.ForSystem() && path != config.DefaultPath(system) {
		return nil
	}
	v := &serviceView{path: config.DefaultPath(system)}
	_, err := os.Stat("/run/systemd/system") // sd_booted(3)
	v.systemd = err == nil
	account := unitAccount{user: service.Account}
	if v.systemd {
		account = accountOf(service.UnitSettings("/"))
		v.sandbox = account.sandbox
	}
	if v.user, err = account.lookUp(); err != nil || int(v.user.UID) == os.Geteuid() || v.user.UID == 0 {
		return nil
	}
	return v
}

// A unitAccount is as whom a unit has its service run.
type unitAccount struct {
	user, group string   // names or numbers; an empty group is the user's own
	more        []string // groups
	sandbox     configfile.Sandbox
}

// accountOf reads a unit with its drop-ins. Without one, the service is as it is shipped.
func accountOf(unit map[string][]string) unitAccount {
	last := func(name string) string {
		values := unit[name]
		if len(values) == 0 {
			return ""
		}
		return values[len(values)-1]
	}
	if unit == nil {
		return unitAccount{user: service.Account, sandbox: configfile.Sandbox{Home: "yes", Temp: "yes"}}
	}
	return unitAccount{
		user: last("User"), group: last("Group"), more: strings.Fields(strings.Join(unit["SupplementaryGroups"], " ")),
		sandbox: configfile.Sandbox{Home: last("ProtectHome"), Temp: last("PrivateTmp")},
	}
}

// lookUp finds the account. An empty name is root's. Windows' accounts have no numbers,
// and one that systemd makes for each start (DynamicUser=) is not there yet: an error.
func (a unitAccount) lookUp() (u configfile.User, err error) {
	if a.user == "" {
		return u, nil
	}
	account, err := user.Lookup(a.user)
	if err != nil {
		account, err = user.LookupId(a.user)
	}
	if err != nil {
		return u, err
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return u, err
	}
	u = configfile.User{Name: account.Username, UID: uint32(uid)}
	group := account.Gid
	if g := groupOf(a.group); g != nil {
		group = g.Gid
	}
	if g := groupOf(group); g != nil {
		u.Group = g.Name
	}
	ids, _ := account.GroupIds()
	for _, name := range a.more {
		if g := groupOf(name); g != nil {
			ids = append(ids, g.Gid)
		}
	}
	if gid, err := strconv.ParseUint(group, 10, 32); err == nil {
		u.GID = uint32(gid)
	}
	for _, id := range ids {
		if gid, err := strconv.ParseUint(id, 10, 32); err == nil {
			u.Groups = append(u.Groups, uint32(gid))
		}
	}
	return u, nil
}

// groupOf finds a group by its name or number; nil if there is none.
func groupOf(name string) *user.Group {
	if g, err := user.LookupGroup(name); err == nil {
		return g
	}
	g, _ := user.LookupGroupId(name)
	return g
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
		} else if why := v.sandbox.Hides(f.Path); why != "" {
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
