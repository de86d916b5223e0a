//go:build unix

package cmd_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// Claude Code itself, with the settings of contrib/README.md, shows the provider that it uses
// in its status line, warns when that is down, and reports a limit that ends a turn.
func TestAgents_ContribOfClaudeCode(t *testing.T) {
	folder := os.Getenv("AGENTS")
	if folder == "" {
		t.Skip("no folder with the agents in AGENTS")
	}
	needs(t, "jq", "tmux")
	k := newRecipeDaemon(t)
	k.local.limited.Store(true) // every request for an answer
	s := startClaudeCode(t, k, folder)
	s.shows("qwen3:8b at ollama ")
	s.types("hello")
	s.shows("qwen3:8b at ollama: limited ", "; usable: openai")
	var row provider.Status
	if k.do("GET", "/api/providers/ollama", &row); row.Reason != provider.RateLimited || row.Source != provider.FromReport {
		t.Errorf("%+v", row)
	}
	s.types("hello again")
	s.shows("providerd: ollama is DEGRADED (rate_limited), to be left alone for ")
}

// A claudeCode is Claude Code in a window of tmux.
type claudeCode struct {
	*recipeDaemon
	tmux []string
}

func startClaudeCode(t *testing.T, k *recipeDaemon, folder string) *claudeCode {
	t.Helper()
	var settings map[string]any
	block := strings.Replace(contribBlock(t, "Claude Code", "json"), `"refreshInterval": 10`, `"refreshInterval": 1`, 1)
	if err := json.Unmarshal([]byte(block), &settings); err != nil {
		t.Fatal(err)
	}
	settings["env"] = map[string]string{"ANTHROPIC_BASE_URL": k.local.URL, "ANTHROPIC_AUTH_TOKEN": "none", "ANTHROPIC_MODEL": "qwen3:8b"}
	home := filepath.Join(k.dir, "home")
	if err := os.MkdirAll(filepath.Join(home, ".claude"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]any{
		"home/.claude/settings.json": settings,
		"home/.claude.json": map[string]any{"hasCompletedOnboarding": true, "theme": "dark",
			"projects": map[string]any{home: map[string]bool{"hasTrustDialogAccepted": true, "hasCompletedProjectOnboarding": true}}},
	} {
		text, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		k.file(name, string(text))
	}
	s := &claudeCode{k, []string{"tmux", "-S", filepath.Join(k.dir, "tmux"), "-f", "/dev/null"}}
	start := "cd " + home + " && exec env -u TMUX HOME=" + home + " CLAUDE_CODE_MAX_RETRIES=0 CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 DISABLE_AUTOUPDATER=1 " +
		"HTTPS_PROXY=http://127.0.0.1:9 NO_PROXY=127.0.0.1 " + filepath.Join(folder, "claude")
	if _, talk, code := k.run(append(s.tmux, "new-session", "-d", "-x", "120", "-y", "40", start)...); code != 0 {
		t.Fatal(talk)
	}
	t.Cleanup(func() { _ = exec.Command(s.tmux[0], append(s.tmux[1:], "kill-server")...).Run() })
	return s
}

// shows waits until all parts are on the screen.
func (s *claudeCode) shows(parts ...string) {
	s.t.Helper()
	screen := ""
	defer func() {
		if s.t.Failed() {
			s.t.Log(screen)
		}
	}()
	s.until(func() bool {
		out, err := s.command(append(s.tmux, "capture-pane", "-p", "-J")...).Output()
		if screen = string(out); err != nil {
			return false
		}
		for _, part := range parts {
			if !strings.Contains(screen, part) {
				return false
			}
		}
		return true
	})
}

// types enters a prompt.
func (s *claudeCode) types(prompt string) {
	s.t.Helper()
	s.run(append(s.tmux, "send-keys", prompt)...)
	s.shows(prompt)
	s.run(append(s.tmux, "send-keys", "Enter")...)
}
