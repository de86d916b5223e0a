//go:build unix

package cmd_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// hook runs the hook of Claude Code, as it does at an event, and returns its message to the
// user.
func (k *recipeDaemon) hook(event map[string]any) string {
	k.t.Helper()
	event["session_id"], event["cwd"] = "5bd9", k.dir
	out := k.sends(contrib("claude-code-hook"), event)
	if out == "" {
		return ""
	}
	var said struct{ SystemMessage string }
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	if err := d.Decode(&said); err != nil || said.SystemMessage == "" || d.More() {
		k.t.Errorf("%q: %v", out, err)
	}
	return said.SystemMessage
}

// recordReports puts a providerctl into the folder that notes reports, and does not send them.
// What it returns takes the notes.
func (k *recipeDaemon) recordReports() (take func() string) {
	notes := filepath.Join(k.dir, "reported")
	k.tool("providerctl", `[ "$1" != report ] || { printf '%s\n' "$*" >>`+notes+"; exit; }\n"+patient())
	return func() string {
		text, _ := os.ReadFile(notes)
		os.Remove(notes)
		return string(text)
	}
}

// A failure that ends a turn of Claude Code is reported of the provider that it uses, in the
// forms that Claude Code gives it.
func TestContrib_HookReports(t *testing.T) {
	needs(t, "jq")
	t.Parallel()
	k := newContribDaemon(t)
	k.env = append(k.env, "ANTHROPIC_BASE_URL="+strings.Replace(k.local.URL, "127.0.0.1", "localhost", 1))
	take := k.recordReports()
	for _, tc := range []struct{ failure, message, want string }{
		{"rate_limit", "API Error: Request rejected (429) · wait", "--status 429 --retry-after 60"},
		{"overloaded", "", "--status 529"},
		{"server_error", "API Error: 529 overloaded. This is a server-side issue", "--status 529"},
		{"server_error", "API Error: 503 no room", "--status 503"},
		{"server_error", "API Error: Unable to connect to API (ConnectionRefused)", "--error refused"},
		{"server_error", "API Error: Unable to connect to API (ECONNRESET)", "--error reset"},
		{"server_error", "Request timed out", "--error timeout"},
		{"authentication_failed", "Failed to authenticate. API Error: 401 bad key", "--status 401"},
		{"authentication_failed", "Failed to authenticate. API Error: 403 no", "--status 403"},
		{"unknown", "API Error: 402 no money", "--status 402"},
		{"billing_error", "Credit balance is too low", "--status 402"},
		{"invalid_request", "API Error: 400 503 words", ""},
		{"max_output_tokens", "API Error: 500 tokens", ""},
		{"model_not_found", "API Error: 404 none", ""},
		{"unknown", "something else", ""},
		{"no_such_error; reboot", "API Error: 503 x", ""},
	} {
		event := map[string]any{"hook_event_name": "StopFailure", "error": tc.failure, "last_assistant_message": tc.message}
		if out := k.hook(event); out != "" {
			t.Errorf("%s: it says %q", tc.failure, out)
		}
		want := ""
		if tc.want != "" {
			want = "report " + tc.want + " -- ollama\n"
		}
		if got := take(); got != want {
			t.Errorf("%s %q: %q, want %q", tc.failure, tc.message, got, want)
		}
	}
	// The provider that everybody avoids is that one.
	k.tool("providerctl", patient())
	k.hook(map[string]any{"hook_event_name": "StopFailure", "error": "rate_limit"})
	var row provider.Status
	if k.do("GET", "/api/providers/ollama", &row); row.Reason != provider.RateLimited {
		t.Errorf("%+v", row)
	}
	if out := k.ctl("pick"); out != "openai\n" {
		t.Errorf("pick prints %q", out)
	}
}

// It reports nothing of a provider that it cannot tell from another one, or whose key is not
// the one that met the limit.
func TestContrib_HookReportsNothingElse(t *testing.T) {
	needs(t, "jq")
	t.Parallel()
	k := newContribDaemon(t)
	failure := map[string]any{"hook_event_name": "StopFailure", "error": "rate_limit"}
	anthropic := map[string]any{"id": "anthropic", "kind": "anthropic", "type": "cloud", "state": "RUNNING", "reason": "ok", "endpoint": "https://api.anthropic.com"}
	local := map[string]any{"id": "ollama", "kind": "ollama", "type": "local", "state": "RUNNING", "reason": "ok", "endpoint": "http://127.0.0.1:1"}
	twin := map[string]any{"id": "twin", "kind": "vllm", "type": "local", "state": "RUNNING", "reason": "ok", "endpoint": "http://127.0.0.1:1"}
	strange := map[string]any{"id": "--status 401 -- $(touch PWNED)", "kind": "vllm", "type": "local", "state": "RUNNING", "reason": "ok", "endpoint": "http://127.0.0.1:1"}
	take := k.recordReports()
	env := k.env
	for _, tc := range []struct {
		name, want string
		env        []string
		rows       []map[string]any
	}{
		{"a subscription", "", nil, []map[string]any{anthropic, local}},
		{"a key", "anthropic", []string{"ANTHROPIC_API_KEY=test-key"}, []map[string]any{anthropic, local}},
		{"a cloud's copy", "", []string{"ANTHROPIC_API_KEY=test-key", "CLAUDE_CODE_USE_BEDROCK=1"}, []map[string]any{anthropic, local}},
		{"a server", "ollama", []string{"ANTHROPIC_BASE_URL=http://127.0.0.1:1/"}, []map[string]any{anthropic, local}},
		{"one of two", "", []string{"ANTHROPIC_BASE_URL=http://127.0.0.1:1"}, []map[string]any{local, twin}},
		{"the one that run has picked", "twin", []string{"ANTHROPIC_BASE_URL=http://127.0.0.1:1", "PROVIDERD_PROVIDER=twin"}, []map[string]any{local, twin}},
		{"another that run had picked", "ollama", []string{"ANTHROPIC_BASE_URL=http://127.0.0.1:1", "PROVIDERD_PROVIDER=anthropic"}, []map[string]any{anthropic, local}},
		{"an address that nobody watches", "", []string{"ANTHROPIC_BASE_URL=http://127.0.0.1:2"}, []map[string]any{anthropic, local}},
		{"a strange name", "", []string{"ANTHROPIC_BASE_URL=http://127.0.0.1:1"}, []map[string]any{strange}},
	} {
		k.env = append(append([]string{}, env...), "ANTHROPIC_API_KEY=", "ANTHROPIC_AUTH_TOKEN=", "PROVIDERD_PROVIDER=")
		k.env = append(k.env, tc.env...)
		k.fakeDaemon(tc.rows...)
		if out := k.hook(failure); out != "" {
			t.Errorf("%s: it says %q", tc.name, out)
		}
		want := ""
		if tc.want != "" {
			want = "report --status 429 --retry-after 60 -- " + tc.want + "\n"
		}
		if got := take(); got != want {
			t.Errorf("%s: %q, want %q", tc.name, got, want)
		}
	}
	if _, err := os.Stat(filepath.Join(k.dir, "PWNED")); err == nil {
		t.Error("a command in a name was run")
	}
}

// Before a prompt that would fail, the user is warned; otherwise nothing is said.
func TestContrib_HookWarns(t *testing.T) {
	needs(t, "jq")
	t.Parallel()
	k := newContribDaemon(t)
	k.env = append(k.env, "ANTHROPIC_BASE_URL="+k.local.URL)
	says := func(parts ...string) {
		t.Helper()
		for _, name := range []string{"SessionStart", "UserPromptSubmit"} {
			got := k.hook(map[string]any{"hook_event_name": name, "source": "startup", "prompt": "hello"})
			if len(parts) == 0 && got != "" {
				t.Errorf("%s: %q", name, got)
			}
			for _, part := range parts {
				if !strings.Contains(got, part) {
					t.Errorf("%s: no %q in %q", name, part, got)
				}
			}
		}
	}
	says()
	k.ctl("report", "ollama", "--status", "429", "--retry-after", "5400")
	says("providerd: ollama is DEGRADED (rate_limited), to be left alone for 90 min; to use another: providerctl export claude-code")
	k.ctl("report", "ollama", "--status", "429", "--retry-after", "1")
	k.local.Close()
	k.ctl("wait", "ollama", "--for", "STOPPED", "--timeout", "60s")
	says("providerd: ollama is STOPPED (connection_refused); start it: ollama serve")
	k.ctl("pause", "ollama")
	says()
	k.fakeDaemon(map[string]any{"id": "ollama", "kind": "ollama", "type": "local", "state": "ERROR", "reason": hostile, "hint": hostile, "endpoint": k.local.URL})
	says("providerd: ollama is ERROR (")
	if got := k.hook(map[string]any{"hook_event_name": "SessionStart"}); strings.ContainsAny(got, "\x1b\a\r\n\u202e\u009b\U000e0041") {
		t.Errorf("%q", got)
	}
	k.env = append(k.env, "PROVIDERD_SOCKET="+filepath.Join(k.dir, "none"))
	says()
}
