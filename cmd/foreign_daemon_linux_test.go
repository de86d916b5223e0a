package cmd_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// With the variables of another user, the daemon does not read that user's configuration,
// and puts neither state nor socket into that user's folders.
func TestForeign_NoVariableLeadsTheDaemonElsewhere(t *testing.T) {
	needRoot(t)
	dir, err := os.MkdirTemp("", "pf")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	at := func(names ...string) string { return filepath.Join(append([]string{dir}, names...)...) }
	for name, uid := range map[string]uint32{"theirs": otherUID, "mine": readerUID} {
		folder(uid, 0o777|os.ModeSticky)(t, at(name), "") // the daemon could write there
		for _, sub := range []string{".config", ".config/providerd", "providerd"} {
			folder(uid, 0o755)(t, at(name, sub), "")
		}
		for _, file := range []string{".config/providerd/providerd.toml", "providerd/providerd.toml"} {
			text := "[[provider]]\nid = \"of-" + name + "\"\nkind = \"http\"\nbase_url = \"http://127.0.0.1:1\"\n"
			if err := os.WriteFile(at(name, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			chown(t, at(name, file), uid)
		}
	}
	folder(readerUID, 0o755)(t, at("mixed"), "")
	folder(readerUID, 0o755)(t, at("mixed", "providerd"), "")
	if err := os.Symlink(at("theirs", "providerd", "providerd.toml"), at("mixed", "providerd", "providerd.toml")); err != nil {
		t.Fatal(err)
	}
	folder(readerUID, 0o755)(t, at("open"), "")
	folder(readerUID, 0o755)(t, at("open", "providerd"), "")
	file(readerUID)(t, at("open", "providerd", "providerd.toml"), "")
	if err := os.Chmod(at("open", "providerd", "providerd.toml"), 0o666); err != nil {
		t.Fatal(err)
	}
	mine := map[string]string{"HOME": at("mine"), "XDG_CONFIG_HOME": at("mine"), "XDG_STATE_HOME": at("mine", "state"), "XDG_RUNTIME_DIR": at("mine")}
	for _, tt := range []struct{ variable, value, config, says string }{
		{"XDG_CONFIG_HOME", at("theirs"), "", "is not used: " + at("theirs") + " belongs to uid 60666\n     = if you mean it: providerd --config PATH; else: unset XDG_CONFIG_HOME"},
		{"XDG_CONFIG_HOME", at("mixed"), "", "is not used: " + at("theirs") + " belongs to uid 60666"},
		{"XDG_CONFIG_HOME", at("open"), "", "providerd.toml can be written by everybody (mode 0666)"},
		{"HOME", at("theirs"), "", "set HOME to your own home"},
		{"XDG_STATE_HOME", at("theirs"), "", at("theirs") + " belongs to uid 60666"},
		{"XDG_RUNTIME_DIR", at("theirs"), "", at("theirs") + " belongs to uid 60666"},
		{"XDG_CONFIG_HOME", at("theirs"), at("theirs", "providerd", "providerd.toml"), `"providers":1`}, // one's own choice
		{"XDG_CONFIG_HOME", at("nowhere"), "", `"started"`},
		{"HOME", at("mine"), "", `"providers":1`},
	} {
		t.Run(tt.variable+"="+strings.TrimPrefix(tt.value+" "+tt.config, dir), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, program("providerd"), "--log-json")
			if tt.config != "" {
				cmd.Args = append(cmd.Args, "--config", tt.config)
			}
			alone(readerUID).become(cmd)
			for name, value := range mine {
				switch {
				case name == tt.variable:
					value = tt.value
				case name == "XDG_CONFIG_HOME" && tt.variable == "HOME":
					continue
				}
				cmd.Env = append(cmd.Env, name+"="+value)
			}
			said := &lockedBuffer{}
			cmd.Stdout, cmd.Stderr = said, said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_ = cmd.Wait()
			}()
			for !strings.Contains(said.String(), `"started"`) { // or it ends
				select {
				case <-ended:
				case <-time.After(2 * time.Millisecond):
					continue
				}
				break
			}
			_ = cmd.Process.Kill()
			<-ended
			if started := strings.Contains(said.String(), `"started"`); !strings.Contains(said.String(), tt.says) || started != strings.HasPrefix(tt.says, `"`) {
				t.Errorf("it says\n%s\nwant %q", said, tt.says)
			}
		})
	}
}
