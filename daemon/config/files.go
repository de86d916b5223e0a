package config

import "strings"

// A NamedFile is what a daemon reads, or runs, because a configuration names it.
type NamedFile struct {
	Path string
	For  string // such as: api_key_file of "groq"
	Runs bool   // it is a program
}

// NamedFiles are those that the providers and the notifications need.
func (c *Config) NamedFiles() (files []NamedFile) {
	for i := range c.Providers {
		p := &c.Providers[i]
		add := func(setting, path string, runs bool) {
			if path != "" {
				files = append(files, NamedFile{path, setting + " of " + quote(p.ID), runs})
			}
		}
		if key, ok := strings.CutPrefix(p.KeySource, "file "); ok {
			add("api_key_file", key, false)
		}
		if p.TLS != nil {
			add(caFile, p.TLS.CAFile, false)
			add(certFile, p.TLS.CertFile, false)
			add(keyFile, p.TLS.KeyFile, false)
		}
		if len(p.Command) > 0 {
			add("command", p.Command[0], true)
		}
	}
	for i := range c.Notify {
		n := &c.Notify[i]
		for _, f := range n.files() {
			files = append(files, NamedFile{f.path, f.setting + " of " + quote(n.ID), false})
		}
		if len(n.Command) > 0 {
			files = append(files, NamedFile{n.Command[0], "command of " + quote(n.ID), true})
		}
	}
	if c.Fleet != nil {
		for _, f := range c.Fleet.files() {
			files = append(files, NamedFile{f.path, f.setting + " of [fleet]", false})
		}
	}
	return files
}
