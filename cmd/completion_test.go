package cmd_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// withIDs is a configuration of providers that nothing answers for.
func withIDs(ids ...string) string {
	config := patiently
	for _, id := range ids {
		config += fmt.Sprintf("[[provider]]\nid = %q\nkind = \"tcp\"\nbase_url = \"tcp://127.0.0.1:9\"\n", id)
	}
	return config
}

// Shell scripts that were installed long ago ask and read exactly like this, to the byte.
func TestComplete(t *testing.T) {
	p := newProcess(t, withIDs("alpha", "ollama:gpu")).start()
	const state = "\t[A-Z_]+\n"
	for name, tc := range map[string]struct {
		program string
		args    []string
		want    string // a pattern
	}{
		"IDs":                  {"providerctl", []string{"__complete", "status", ""}, "alpha" + state + "ollama:gpu" + state + ":4\n"},
		"IDsOfAFewLetters":     {"providerctl", []string{"__complete", "is-running", "ollama:g"}, "(?s).*ollama:gpu" + state + ":4\n"},
		"IDsWithoutTheirState": {"providerctl", []string{"__completeNoDesc", "status", ""}, "alpha\nollama:gpu\n:4\n"},
		"OthersThanAreNamed":   {"providerctl", []string{"__completeNoDesc", "status", "ollama:gpu", ""}, "alpha\n:4\n"},
		"Commands":             {"providerctl", []string{"__complete", "vers"}, "version\t.+\n:4\n"},
		"Value":                {"providerctl", []string{"__complete", "pick", "--prefer=f"}, "(?s).*fastest.*\n:4\n"},
		"NoDaemon":             {"providerctl", []string{"__complete", "--socket", filepath.Join(p.dir, "none"), "status", ""}, ":4\n"},
		"AFile":                {"providerctl", []string{"__complete", "--socket", ""}, ":0\n"},
		"AFileOfAKind":         {"providerd", []string{"__complete", "--config", ""}, "toml\n:8\n"},
		"AFolder":              {"providerd", []string{"__complete", "--state-dir", ""}, ":16\n"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(program(tc.program), tc.args...)
			cmd.Env = append(cmd.Environ(), "PROVIDERD_SOCKET="+p.socket)
			out, err := cmd.Output()
			if whole := regexp.MustCompile("^(?:" + tc.want + ")$"); err != nil || !whole.Match(out) {
				t.Errorf("%v: it prints %q, want %s", err, out, whole)
			}
		})
	}
}
