package cmd_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Whoever ends providerd while its editor is open finds what they wrote.
func TestConfig_ASignalNamesTheCopy(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNewcomer(t, alone(otherUID))
			file := filepath.Join(n.home, "c.toml")
			if err := os.WriteFile(file, []byte("autodetect = true\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			chown(t, file, otherUID)
			cmd := n.command([]string{`EDITOR=sh -c 'echo "# half of a" >>"$0"; echo open; exec sleep 60'`}, "--config", file, "config", "edit")
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			var said lockedBuffer
			cmd.Stderr = &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := out.Read(make([]byte, 16)); err != nil { // the editor is open
				t.Error(err)
			}
			if err := cmd.Process.Signal(signal); err != nil {
				t.Error(err)
			}
			if err := cmd.Wait(); err == nil { // the editor has its standard error too, and ends
				t.Error("it ended well")
			}
			_, copied, found := strings.Cut(said.String(), "your text is in ")
			copied, _, _ = strings.Cut(copied, "\n")
			if text, err := os.ReadFile(copied); !found || string(text) != "autodetect = true\n# half of a\n" {
				t.Errorf("%q %v, said:\n%s", text, err, said.String())
			}
		})
	}
}
