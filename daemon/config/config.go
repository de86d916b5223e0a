package config

import (
	"errors"
	"io/fs"
	"time"
)

// A Config is a complete, valid configuration.
type Config struct {
	Path       string // the file; empty if the built-in defaults are used
	Daemon     Daemon
	Autodetect bool
	Providers  []Provider // in the file's order, those that were autodetected last
	// Notify and Maintenance are in the file's order.
	Notify      []Notify
	Maintenance []Maintenance
	Fleet       *Fleet // nil: none
	// Warnings are for people: what is allowed and probably not meant.
	Warnings []string
	// Faults are why single providers cannot be used; see [Config.FaultError].
	Faults []Fault
	// Modified is when the file was last changed before it was read; zero without a file.
	Modified time.Time
}

// Load reads the configuration file at path; an empty path means [DefaultPath].
// A missing file is only an error if path is given; otherwise the built-in defaults apply. A
// file whose path comes from variables must belong to root or us, and nobody else may be able
// to change it. Key files and variables are read too, and STATE_DIRECTORY overrides the file's
// state_dir. A bad value in one of those is not an error: its provider says so, and the others
// are not affected.
//
// The error is an [*Error]. The caller applies command-line flags, which override everything
// here, and checks them with [Daemon.Validate].
func Load(path string, explicit bool, kinds []Kind, env Env) (*Config, error) {
	if path == "" {
		if path = DefaultPath(env); path == "" {
			return builtIn(kinds, env)
		}
		if err := env.foreign(path); err != nil {
			return nil, err
		}
	}
	modified := env.modified(path) // first, so that a change meanwhile counts as later
	data, _, err := env.readFile(path, maxFile)
	switch {
	case err == nil:
		c, err := Parse(path, data, kinds, env)
		if err == nil {
			c.Modified = modified
		}
		return c, err
	case !explicit && errors.Is(err, fs.ErrNotExist):
		return builtIn(kinds, env)
	}
	return nil, &Error{Path: path, cause: err, Problems: []Problem{{
		Message: "read the configuration: " + reasonOf(err),
		Fix:     unreadableFix(err),
	}}}
}

func unreadableFix(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "correct the path, or leave it out to use the built-in defaults"
	case errors.Is(err, fs.ErrPermission):
		return "let the user that runs providerd read it"
	}
	return "write the path of a TOML file"
}

// Parse reads a configuration from data; name stands for its path in errors and
// [Config.Path]. The error is an [*Error].
func Parse(name string, data []byte, kinds []Kind, env Env) (*Config, error) {
	doc, bad := parseDocument(data)
	if bad != nil {
		return nil, newError(name, doc.data, []mistake{*bad}, 0)
	}
	r := &reading{path: name, doc: doc, kinds: kinds, env: env}
	c := r.config()
	if len(r.mistakes) > 0 {
		return nil, newError(name, doc.data, r.mistakes, r.more)
	}
	c.Path, c.Warnings, c.Faults = name, r.warnings, r.faults
	return c, nil
}

// builtIn is the configuration without a file.
func builtIn(kinds []Kind, env Env) (*Config, error) {
	r := &reading{doc: &document{}, kinds: kinds, env: env}
	c := &Config{Daemon: r.defaultDaemon(), Autodetect: true}
	c.Providers = r.autodetect(nil, timing{})
	if len(r.mistakes) > 0 {
		return nil, newError("", nil, r.mistakes, r.more)
	}
	c.Warnings = r.warnings
	return c, nil
}

func ids(providers []Provider) []string {
	var all []string
	for i := range providers {
		all = append(all, providers[i].ID)
	}
	return all
}

// config reads the top level.
func (r *reading) config() *Config {
	top := &table{reading: r, node: r.doc.root, values: r.doc.values}
	c := &Config{}
	c.Autodetect, _ = get[bool](top, "autodetect", "autodetect = true")
	c.Daemon = r.daemon(top.table("daemon"))
	fleet := top.table("fleet")
	forAll := top.table("defaults")
	defaults := forAll.timing()
	forAll.done()
	entries := top.entries("provider")
	notifications, maintenance := top.entries("notify"), top.entries("maintenance")
	top.done()
	c.Providers = r.providers(entries, defaults)
	if c.Autodetect {
		c.Providers = append(c.Providers, r.autodetect(entries, defaults)...)
	}
	if fleet.values != nil {
		c.Fleet = fleet.fleet()
	}
	c.Notify, c.Maintenance = r.notifications(notifications), r.maintenance(maintenance)
	r.warnOfGlobs(append(notifications, maintenance...), ids(c.Providers))
	if len(c.Providers) == 0 {
		r.warn(nowhere, "no provider is configured: add a [[provider]], or autodetect = true")
	}
	return c
}

// table opens a table of the file; an absent one is empty.
func (t *table) table(key string) *table {
	values, _ := get[map[string]any](t, key, "["+key+"]")
	return &table{reading: t.reading, node: t.node.child(key), values: values}
}

// entries opens each table of a list, such as each [[provider]].
func (t *table) entries(key string) []*table {
	if !t.has(key) {
		return nil
	}
	elements, ok := t.values[key].([]any)
	if !ok {
		t.reject(t.at(key), flawf("write [["+key+"]], with its settings on the lines below",
			"%s must be a list of tables, not %s", key, typeName(t.values[key])))
	}
	var out []*table
	for i, e := range elements {
		values, ok := e.(map[string]any)
		if !ok {
			t.wrongType(t.elem(key, i), "each "+key, e, values, "[["+key+"]]")
			continue
		}
		out = append(out, &table{reading: t.reading, node: t.node.child(key).element(i), values: values})
	}
	return out
}
