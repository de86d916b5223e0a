package main

import (
	"bytes"
	"testing"
)

// The shells offer the right choices, and files only if a file is wanted. The number is the
// directive, for what else a shell is to do.
func TestCompletion(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"Commands": {[]string{"config", "s"}, "show\tPrint the configuration with its defaults, secrets masked\n:4\n"},
		"Config":   {[]string{"--config", ""}, "toml\n:8\n"},
		"Folder":   {[]string{"--state-dir", ""}, ":16\n"},
		"Socket":   {[]string{"--socket", ""}, ":0\n"},
		"LogLevel": {[]string{"--log-level", ""}, "trace\ndebug\ninfo\nwarn\nerror\noff\n:4\n"},
		"Check":    {[]string{"config", "check", ""}, "toml\n:8\n"},
		"Checked":  {[]string{"config", "check", "a.toml", ""}, ":4\n"},
		"NoFiles":  {[]string{"config", "show", ""}, ":4\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			cmd := newCommand()
			cmd.Stdout, cmd.Stderr = &out, &bytes.Buffer{}
			if err := cmd.Execute(t.Context(), append([]string{"__complete"}, tc.args...)); err != nil {
				t.Fatal(err)
			}
			if out.String() != tc.want {
				t.Errorf("%q: got %q, want %q", tc.args, &out, tc.want)
			}
		})
	}
}
