package cmd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// On a terminal in a C locale the daemon's log, and the table of its first results, are
// ASCII.
func TestDaemon_WritesASCIIToATerminal(t *testing.T) {
	folder, err := os.MkdirTemp("", "pd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	config := filepath.Join(folder, "größe.toml")
	if err := os.WriteFile(config, []byte(withIDs("one")), 0o600); err != nil {
		t.Fatal(err)
	}
	_, screen := startOnTerminal(t, folder, []string{"LC_ALL=C", "TERM=xterm", "HOME=" + folder},
		[]string{program("providerd"), "--config", config, "--socket", filepath.Join(folder, "s"), "--state-dir", filepath.Join(folder, "state")})
	shown := &typist{t: t, screen: screen}
	shown.await("gr??e.toml")
	shown.await("to ask again: ")
	if i := strings.IndexFunc(screen.String(), func(r rune) bool { return r >= 0x80 }); i >= 0 {
		t.Errorf("%q", screen)
	}
}
