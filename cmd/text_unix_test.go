//go:build unix

package cmd_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/providerd/providerd/store/provider"
)

// What the daemon prints before it has a log, and about a file, is plain text whatever the
// names of files and the words of the command line and the file are: nothing moves a cursor
// or reverses the direction, and no line can pass for another message.
func TestProviderd_SaysOnlyText(t *testing.T) {
	const hostile = "a\x1b[2J\u009b31m\u202e\xff\nproviderd: try: forged"
	const escaped = `"a\u001b[2J\u009b31m\u202e\nproviderd: try: forged"`
	dir := filepath.Join(t.TempDir(), hostile)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.toml", "[[provider]]\nid = \"x\"\nkind = \"http\"\nname = "+escaped+"\nbase_url = \"http://127.0.0.1:1/\"\n")
	for _, args := range [][]string{
		{hostile}, {"--" + hostile}, {"--log-level", hostile}, {"--config", filepath.Join(dir, "none.toml")},
		{"--state-dir", filepath.Join(good, hostile), "--socket", filepath.Join(dir, "s")},
		{"--config", good, "--socket", filepath.Join(good, "s"), "--state-dir", dir},
		{"config", hostile}, {"config", "check", good}, {"config", "check", dir}, {"config", "show", "--config", good},
		{"config", "check", file("key.toml", escaped+" = 1\n")},
		{"config", "check", file("id.toml", "[[provider]]\nid = "+escaped+"\nkind = \"http\"\nbase_url = \"http://127.0.0.1:1/\"\n")},
		{"config", "check", file("kind.toml", "[[provider]]\nid = \"x\"\nkind = "+escaped+"\n")},
		{"config", "check", file("raw.toml", "# \x1b[2J\u202e\nx = '\u009b31m\n")},
		{"__complete", hostile, ""}, {"__complete", "--" + hostile, ""}, {"help", hostile},
	} {
		run := exec.Command(program("providerd"), args...)
		run.Env = append(os.Environ(), "HOME="+dir, "XDG_RUNTIME_DIR="+dir, "XDG_STATE_HOME="+dir, "XDG_CONFIG_HOME="+dir)
		var out, talk bytes.Buffer
		run.Stdout, run.Stderr = &out, &talk
		err := run.Run()
		if out.Len()+talk.Len() == 0 {
			t.Errorf("%q says nothing: %v", args, err)
		}
		for _, text := range []string{out.String(), talk.String()} {
			if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r != utf8.RuneError && !provider.Shows(r) && r != '\n' && r != '\t' }) {
				t.Errorf("%q says %q", args, text)
			}
			if strings.Contains("\n"+text, "\nproviderd: try: forged") {
				t.Errorf("%q has a line that is forged: %q", args, text)
			}
		}
	}
}
