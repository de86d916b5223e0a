//go:build unix

package cmd_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The agents themselves, configured by the commands of docs/agents.md, ask the provider that
// works, with its key and no other.
func TestAgents_Themselves(t *testing.T) {
	folder := os.Getenv("AGENTS")
	if folder == "" {
		t.Skip("no folder with the agents in AGENTS")
	}
	sections := agentSections(t)
	for _, agent := range []struct{ heading, program, path string }{
		{"opencode", "opencode", "/v1/chat/completions"},
		{"Claude Code", "claude", "/v1/messages"},
		{"Codex", "codex", "/v1/responses"},
		{"Continue", "cn", "/v1/chat/completions"},
		{"Cline", "cline", "/v1/chat/completions"},
	} {
		t.Run(agent.program, func(t *testing.T) {
			t.Parallel()
			d := startAgentProviders(t)
			commands := sections[agent.heading][0].text
			commands = strings.Replace(commands, "codex exec", "codex exec --strict-config", 1) // else it ignores what it does not know
			d.asks(t, folder, commands)
			check(t, d.local.requests(), agent.path, "none")
			named := regexp.MustCompile(`providerctl export \S+`).ReplaceAllString(commands, "$0 gateway")
			d.asks(t, folder, named)
			check(t, d.gateway.requests(), agent.path, gatewayKey)
			if wrong := append(d.local.requests(), d.limited.requests()...); len(wrong) > 0 {
				t.Errorf("another server is asked: %v", wrong)
			}
		})
	}
}

// check fails unless there is a request at this path, and all have this key.
func check(t *testing.T, asked []agentRequest, path, key string) {
	t.Helper()
	answered := false
	for _, r := range asked {
		answered = answered || r.path == path && r.model == "qwen3:8b"
		checkKey(t, r, key)
	}
	if !answered {
		t.Errorf("it was not asked at %s: %v", path, asked)
	}
}

const gatewayKey = "test-key-of-the-gateway"

// checkKey fails if a request has another key than this one. "none" is no key.
func checkKey(t *testing.T, r agentRequest, key string) {
	t.Helper()
	found := ""
	for name, values := range r.header {
		for _, value := range values {
			if strings.Contains(value, "test-key") || name == "Authorization" || name == "X-Api-Key" {
				if found = strings.TrimPrefix(value, "Bearer "); found != key {
					t.Errorf("%s has %s: %s, want %s", r.path, name, value, key)
				}
			}
		}
	}
	if found == "" && key != "none" {
		t.Errorf("%s has no key", r.path)
	}
}

// agentProviders are a daemon with two servers that work, a dead one and a limited one.
type agentProviders struct {
	*process
	local, gateway, limited *agentServer
}

func startAgentProviders(t *testing.T) *agentProviders {
	d := &agentProviders{process: newProcess(t, ""), local: newAgentServer(t, answerAsOllama),
		gateway: newAgentServer(t, answerAsVLLM), limited: newAgentServer(t, answerAsOllama)}
	dead, free, err := ownPort()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(free)
	key := filepath.Join(d.dir, "key")
	if err := os.WriteFile(key, []byte("test-key-of-groq"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.write(fmt.Sprintf("[defaults]\nslow_after = \"60s\"\ntimeout = \"60s\"\n"+
		"[[provider]]\nid = \"dead\"\nkind = \"ollama\"\nbase_url = \"http://%s\"\n"+
		"[[provider]]\nid = \"limited\"\nkind = \"groq\"\nbase_url = \"%s/v1\"\napi_key_file = %q\n"+
		"[[provider]]\nid = \"ollama\"\nkind = \"ollama\"\nbase_url = %q\n"+
		"[[provider]]\nid = \"gateway\"\nkind = \"vllm\"\nbase_url = %q\napi_key_env = \"GATEWAY_KEY\"\n",
		dead, d.limited.URL, key, d.local.URL, d.gateway.URL))
	d.as = func(cmd *exec.Cmd) { cmd.Env = append(os.Environ(), "GATEWAY_KEY="+gatewayKey) }
	d.start()
	for _, args := range [][]string{
		{"refresh", "--wait"}, {"report", "limited", "--status", "429", "--retry-after", "3600"},
		{"wait", "dead", "--for", "STOPPED", "--timeout", "60s"}, {"wait", "gateway", "ollama", "--timeout", "60s"},
	} {
		cmd := exec.Command(program("providerctl"), append([]string{"--socket", d.socket}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v %s", args, err, out)
		}
	}
	return d
}

// asks runs commands in a folder and a home of their own, among the keys of others. Nothing
// but this machine can be reached.
func (d *agentProviders) asks(t *testing.T, folder, commands string) {
	t.Helper()
	home := t.TempDir()
	quiet := filepath.Join(home, "cline.json") // else it tries for seconds to reach the Internet
	if err := os.WriteFile(quiet, []byte(`{"telemetryOptOut":true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // where it never ends
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-eu", "-c", commands)
	cmd.Dir = home
	cmd.Env = []string{
		"HOME=" + home, "PROVIDERD_SOCKET=" + d.socket, "TERM=dumb", "LANG=C.UTF-8",
		"PATH=" + strings.Join([]string{folder, bin, os.Getenv("PATH")}, string(filepath.ListSeparator)),
		"HTTP_PROXY=http://127.0.0.1:9", "HTTPS_PROXY=http://127.0.0.1:9", "NO_PROXY=127.0.0.1,localhost",
		"OPENCODE_DISABLE_MODELS_FETCH=1", "OPENCODE_DISABLE_AUTOUPDATE=1", "CONTINUE_TELEMETRY_ENABLED=0",
		"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1", "DISABLE_AUTOUPDATER=1", "CLINE_GLOBAL_SETTINGS_PATH=" + quiet, "CLINE_NO_AUTO_UPDATE=1",
		"CLINE_SESSION_BACKEND_MODE=local", // else it leaves a daemon running
		"GATEWAY_KEY=" + gatewayKey,
	}
	for _, vendor := range []string{"OPENAI", "ANTHROPIC", "GROQ", "OPENROUTER", "CODEX", "GEMINI"} {
		cmd.Env = append(cmd.Env, vendor+"_API_KEY=test-key-of-another-vendor")
	}
	cmd.Env = append(cmd.Env, "ANTHROPIC_AUTH_TOKEN=test-key-of-another-vendor")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it may leave children
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	if err != nil || !strings.Contains(out.String(), agentAnswer) {
		t.Errorf("%v:\n%s", err, out.String())
	}
}
