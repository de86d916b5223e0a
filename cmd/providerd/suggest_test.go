package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/providerd/providerd/ctl"
)

func TestUsage_SuggestsWhatWasMeant(t *testing.T) {
	for args, hint := range map[string]string{
		"confg check":                "did you mean: providerd config",
		"Config":                     "did you mean: providerd config",
		"config chek x":              "did you mean: providerd config check",
		"config validate":            "did you mean: providerd config check",
		"service instal":             "did you mean: providerd service install",
		"service stauts --user":      "did you mean: providerd service status",
		"service Restart":            "did you mean: providerd service restart",
		"help confg":                 "did you mean: providerd help config",
		"help status":                "did you mean: providerctl help status, providerd help service status",
		"help config show x":         "did you mean: providerd help config show",
		"help run":                   "did you mean: providerd --help",
		"my.toml":                    "did you mean: providerd --config my.toml",
		"--log-level wran":           "did you mean: --log-level warn",
		"--log-level":                "use one of: trace, debug, info, warn, error, off",
		"--log-json=no":              "did you mean: --log-json=false",
		"--log-json=perhaps":         "write --log-json alone",
		"--color alwys":              "did you mean: --color always",
		"help service instal":        "did you mean: providerd help service install",
		"completion bahs":            "did you mean: providerd completion bash",
		"verson":                     "did you mean: providerd version, providerctl version",
		"check":                      "did you mean: providerd config check, providerd fleet check",
		"start":                      "did you mean: providerctl start, providerd service start",
		"instal":                     "did you mean: providerd service install",
		"status":                     "did you mean: providerctl status, providerd service status",
		"relaod":                     "did you mean: providerctl reload",
		"refresh ollama --wait":      "did you mean: providerctl refresh",
		"run":                        "did you mean: providerd",
		"--confg x":                  "did you mean: --config",
		"-config x":                  "did you mean: --config",
		"config check --log_level=x": "did you mean: --log-level",
		"dashboard":                  "did you mean: providerctl dashboard",
		"help top":                   "did you mean: providerctl help top",
		"xyzzy":                      "providerd --help",
		"service xyzzy":              "providerd service --help",
		"help xyzzy":                 "providerd --help",
		"--xyzzy":                    "see: providerd --help",
	} {
		t.Run(args, func(t *testing.T) {
			cmd := newCommand()
			cmd.Stdout, cmd.Stderr = &bytes.Buffer{}, &bytes.Buffer{}
			var u usageError
			if err := cmd.Execute(t.Context(), strings.Fields(args)); !errors.As(err, &u) || u.Hint() != hint {
				t.Errorf("error %v with hint %q, want %q", err, u.Hint(), hint)
			}
		})
	}
}

// The commands of this program that providerctl suggests exist.
func TestUsage_ProviderctlNamesOurCommands(t *testing.T) {
	for _, word := range []string{"install", "uninstall", "start", "stop", "restart", "service", "config", "serve", "daemon"} {
		var said bytes.Buffer
		ctl.Main(context.Background(), ctl.Env{Args: []string{word}, Stdout: &said, Stderr: &said, Getenv: func(string) string { return "" }})
		text := strings.Replace(strings.TrimSpace(said.String()), "or for the daemon itself:", "did you mean:", 1)
		_, line, ok := strings.Cut(text, "did you mean: providerd")
		if !ok {
			t.Errorf("%s: %s", word, &said)
			continue
		}
		if _, rest := newCommand().Find(strings.Fields(line)); len(rest) > 0 {
			t.Errorf("%s: there is no command%s", word, line)
		}
	}
}
