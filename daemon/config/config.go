package config

import (
	"errors"
	"io/fs"
	"time"
)

// A Config is a whole valid configuration.
type Config struct {
	Path       string // the file; empty when the built-in defaults are used
	Daemon     Daemon
	Autodetect bool
	Providers  []Provider // in the file's order, those that were autodetected last
	// Warnings are for people: what is allowed and probably not meant.
	Warnings []string
	// Faults are why single providers have no key; see [Config.FaultError].
	Faults []Fault
	// Modified is when the file had been changed last before it was read; zero without one.
	Modified time.Time
}

// Load reads the configuration file at path; an empty path means [DefaultPath].
// A file that is not there is no error unless it was asked for explicitly: then
// the built-in defaults apply. One that variables led to must be root's or ours, and
// nobody else's to change. Key files and variables are read too, and
// STATE_DIRECTORY wins over the file's state_dir. A bad value in one of those is no
// error: its provider says so, and the others are not affected.
//
// The error is an [*Error]. Command-line flags, which win over everything here,
// are for the caller to apply, and to check with [Daemon.Validate].
func Load(path string, explicit bool, kinds []Kind, env Env) (*Config, error) {
	if path == "" {
		if path = DefaultPath(env); path == "" {
			return builtIn(kinds, env)
		}
		if err := env.foreign(path); err != nil {
			return nil, err
		}
	}
	modified := env.modified(path) // first, so that what changes meanwhile was changed since
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
	return "give the path of a TOML file"
}

// Parse reads a configuration from data; name is what errors and
// [Config.Path] call it. The error is an [*Error].
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

// config reads the top level.
func (r *reading) config() *Config {
	top := &table{reading: r, node: r.doc.root, values: r.doc.values}
	c := &Config{}
	c.Autodetect, _ = get[bool](top, "autodetect", "autodetect = true")
	c.Daemon = r.daemon(top.table("daemon"))
	forAll := top.table("defaults")
	defaults := forAll.timing()
	forAll.done()
	entries := top.entries()
	top.done()
	c.Providers = r.providers(entries, defaults)
	if c.Autodetect {
		c.Providers = append(c.Providers, r.autodetect(entries, defaults)...)
	}
	if len(c.Providers) == 0 {
		r.warn(nowhere, "no provider is configured: add a [[provider]], or autodetect = true")
	}
	return c
}

// table opens a table of the file; one that is absent is empty.
func (t *table) table(key string) *table {
	values, _ := get[map[string]any](t, key, "["+key+"]")
	return &table{reading: t.reading, node: t.node.child(key), values: values}
}

// entries opens each [[provider]].
func (t *table) entries() []*table {
	const key = "provider"
	if !t.has(key) {
		return nil
	}
	elements, ok := t.values[key].([]any)
	if !ok {
		t.reject(t.at(key), flawf("write [[provider]], with its settings on the lines below",
			"provider must be a list of tables, not %s", typeName(t.values[key])))
	}
	var out []*table
	for i, e := range elements {
		values, ok := e.(map[string]any)
		if !ok {
			t.wrongType(t.elem(key, i), "each provider", e, values, "[[provider]]")
			continue
		}
		out = append(out, &table{reading: t.reading, node: t.node.child(key).element(i), values: values})
	}
	return out
}
