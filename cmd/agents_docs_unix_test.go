//go:build unix

package cmd_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
	yaml3 "go.yaml.in/yaml/v3"

	"github.com/providerd/providerd/store/provider"
)

// A pageBlock is a code block of a page.
type pageBlock struct{ language, text string }

// agentSections are the code blocks of docs/agents.md by the heading above them.
func agentSections(t *testing.T) map[string][]pageBlock {
	page, err := os.ReadFile("../docs/agents.md")
	if err != nil {
		t.Fatal(err)
	}
	found, heading, inside := map[string][]pageBlock{}, "", false
	for line := range strings.Lines(string(page)) {
		blocks := found[heading]
		switch title, is := strings.CutPrefix(line, "## "); {
		case strings.HasPrefix(line, "```"):
			if inside = !inside; inside {
				found[heading] = append(blocks, pageBlock{language: strings.TrimSpace(line[3:])})
			}
		case inside:
			blocks[len(blocks)-1].text += line
		case is:
			heading = strings.TrimSpace(title)
			found[heading] = nil
		}
	}
	return found
}

// Every section of docs/agents.md does what it says while one provider is dead and another
// one is limited.
func TestAgents(t *testing.T) {
	all := agentSections(t)
	tests := map[string]func(*testing.T, []pageBlock){
		"opencode":                    testAgentOpencode,
		"Claude Code":                 testAgentClaudeCode,
		"Codex":                       testAgentCodex,
		"Cline":                       testAgentCline,
		"Continue":                    testAgentContinue,
		"aider":                       testAgentAider,
		"Zed":                         testAgentZed,
		"llm":                         testAgentLLM,
		"Any program":                 testAgentAny,
		"Report what a program meets": testAgentReport,
		"Python":                      func(t *testing.T, b []pageBlock) { testAgentRun(t, b, "python3", "agent.py") },
		"Python over the socket":      func(t *testing.T, b []pageBlock) { testAgentRun(t, b, "python3", "direct.py") },
		"Node":                        func(t *testing.T, b []pageBlock) { testAgentRun(t, b, "node", "agent.mjs") },
		"Node over the socket":        func(t *testing.T, b []pageBlock) { testAgentRun(t, b, "node", "direct.mjs") },
	}
	for heading, blocks := range all {
		test := tests[heading]
		if test == nil {
			t.Errorf("no test for the section %q", heading)
			continue
		}
		commands, lines := 0, 0
		for _, b := range blocks {
			if b.language == "sh" {
				commands += strings.Count(b.text, "\n")
			} else {
				lines += strings.Count(b.text, "\n")
			}
		}
		if commands == 0 || commands > 15 || lines > 25 {
			t.Errorf("%s: %d commands, %d lines of a program", heading, commands, lines)
		}
		t.Run(strings.ReplaceAll(heading, " ", ""), func(t *testing.T) {
			t.Parallel()
			test(t, blocks)
		})
	}
	if len(all) != len(tests) {
		t.Errorf("%d sections, %d tests", len(all), len(tests))
	}
}

// agentsDaemon is a daemon with a dead provider, a limited one, and the two of recipes.
func agentsDaemon(t *testing.T) *recipeDaemon {
	address, free, err := ownPort()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(free)
	limited := newModelServer(t)
	limited.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	k := newRecipeDaemon(t)
	settings, err := os.ReadFile(k.config)
	if err != nil {
		t.Fatal(err)
	}
	k.write(fmt.Sprintf("[[provider]]\nid = \"dead\"\nkind = \"ollama\"\nbase_url = \"http://%s\"\n"+
		"[[provider]]\nid = \"limited\"\nkind = \"groq\"\nbase_url = \"%s/v1\"\napi_key_file = %q\n", address, limited.URL, k.key) + string(settings))
	k.ctl("reload")
	k.ctl("refresh", "--wait")
	k.ctl("wait", "limited", "--for", "DEGRADED", "--timeout", "60s")
	k.ctl("wait", "dead", "--for", "STOPPED", "--timeout", "60s")
	for _, v := range []string{"ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "GROQ_API_KEY"} {
		k.env = append(k.env, v+"=test-key-of-another-vendor")
	}
	k.env = append(k.env, "HOME="+k.dir)
	return k
}

// runs runs the commands of a section, with a stand-in for the agent that says how it was
// called.
func (k *recipeDaemon) runs(agent string, blocks []pageBlock, want string) {
	k.t.Helper()
	k.tool(agent, `printf '%s' "${0##*/}"; printf ' [%s]' "$@"; echo`)
	var script string
	for _, b := range blocks {
		script += b.text
	}
	if out, talk, code := k.sh(script); code != 0 || out != want {
		k.t.Errorf("%d %q %q, want %q", code, out, talk, want)
	}
}

// parses reads a file that the commands wrote, and fails if a field is not in the value, or
// if there is a key or a provider that cannot be used.
func (k *recipeDaemon) parses(name string, into any) {
	k.t.Helper()
	text, err := os.ReadFile(filepath.Join(k.dir, name))
	if err != nil {
		k.t.Fatal(err)
	}
	for _, never := range []string{"test-key", "dead", "limited"} {
		if bytes.Contains(text, []byte(never)) {
			k.t.Errorf("%s has %q:\n%s", name, never, text)
		}
	}
	switch filepath.Ext(name) {
	case ".json":
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		err = d.Decode(into)
	case ".toml":
		err = toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(into)
	default:
		d := yaml3.NewDecoder(bytes.NewReader(text))
		d.KnownFields(true)
		err = d.Decode(into)
	}
	if err != nil {
		k.t.Fatalf("%v in:\n%s", err, text)
	}
}

// is fails unless both are the same.
func is[T any](t *testing.T, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func testAgentOpencode(t *testing.T, blocks []pageBlock) {
	k := agentsDaemon(t)
	k.runs("opencode", blocks, "opencode [run] [say hello]\n")
	type server struct {
		NPM     string                       `json:"npm"`
		Name    string                       `json:"name"`
		Options map[string]string            `json:"options"`
		Models  map[string]map[string]string `json:"models"`
	}
	type config struct {
		Schema   string            `json:"$schema"`
		Model    string            `json:"model"`
		Provider map[string]server `json:"provider"`
	}
	var got config
	k.parses("opencode.json", &got)
	models := map[string]map[string]string{"qwen3:8b": {"name": "qwen3:8b"}}
	is(t, got, config{"https://opencode.ai/config.json", "providerd-ollama/qwen3:8b", map[string]server{
		"providerd-ollama": {"@ai-sdk/openai-compatible", "ollama", map[string]string{"baseURL": k.local.URL + "/v1"}, models},
		"providerd-openai": {"@ai-sdk/openai-compatible", "openai", map[string]string{"baseURL": k.cloud.URL + "/v1", "apiKey": "{env:PROVIDERD_OPENAI_API_KEY}"}, models},
	}})
}

func testAgentClaudeCode(t *testing.T, blocks []pageBlock) {
	k := agentsDaemon(t)
	k.runs("claude", blocks, "claude [-p] [say hello]\n")
	type settings struct {
		Model string            `json:"model"`
		Env   map[string]string `json:"env"`
	}
	var got settings
	k.parses(".claude/settings.local.json", &got)
	is(t, got, settings{"qwen3:8b", map[string]string{
		"ANTHROPIC_BASE_URL": k.local.URL, "ANTHROPIC_AUTH_TOKEN": "none", "ANTHROPIC_API_KEY": "",
		"ANTHROPIC_DEFAULT_OPUS_MODEL": "qwen3:8b", "ANTHROPIC_DEFAULT_SONNET_MODEL": "qwen3:8b", "ANTHROPIC_DEFAULT_HAIKU_MODEL": "qwen3:8b",
	}})
}

func testAgentCodex(t *testing.T, blocks []pageBlock) {
	k := agentsDaemon(t)
	k.runs("codex", blocks, "codex [exec] [--skip-git-repo-check] [say hello]\n")
	type server struct {
		Name    string `toml:"name"`
		BaseURL string `toml:"base_url"`
		WireAPI string `toml:"wire_api"`
		EnvKey  string `toml:"env_key"`
	}
	type config struct {
		Model     string            `toml:"model"`
		Provider  string            `toml:"model_provider"`
		Providers map[string]server `toml:"model_providers"`
	}
	var got config
	k.parses(".codex-providerd/config.toml", &got)
	is(t, got, config{"qwen3:8b", "providerd-ollama", map[string]server{
		"providerd-ollama": {"ollama", k.local.URL + "/v1", "responses", ""},
		"providerd-openai": {"openai", k.cloud.URL + "/v1", "responses", "PROVIDERD_OPENAI_API_KEY"},
	}})
}

func testAgentCline(t *testing.T, blocks []pageBlock) {
	k := agentsDaemon(t)
	k.runs("cline", blocks, "cline [auth] [--provider] [openai-compatible] [--baseurl] ["+k.local.URL+"/v1] [--modelid] [qwen3:8b] [--apikey] [none]\n"+
		"cline [say hello]\n")
}

func testAgentContinue(t *testing.T, blocks []pageBlock) {
	k := agentsDaemon(t)
	k.runs("cn", blocks, "cn [--config] [continue.yaml] [-p] [say hello]\n")
	type config struct {
		Name, Version, Schema string
		Models                []map[string]string
	}
	var got config
	k.parses("continue.yaml", &got)
	is(t, got, config{"providerd", "0.0.1", "v1", []map[string]string{
		{"name": "ollama qwen3:8b", "provider": "openai", "model": "qwen3:8b", "apiBase": k.local.URL + "/v1", "apiKey": "none"},
		{"name": "openai qwen3:8b", "provider": "openai", "model": "qwen3:8b", "apiBase": k.cloud.URL + "/v1", "apiKey": "${{ secrets.PROVIDERD_OPENAI_API_KEY }}"},
	}})
}

func testAgentAider(t *testing.T, blocks []pageBlock) {
	k := agentsDaemon(t)
	k.runs("aider", blocks, "aider [--message] [say hello]\n")
	var got map[string]string
	k.parses(".aider.conf.yml", &got)
	is(t, got, map[string]string{"model": "openai/qwen3:8b", "openai-api-base": k.local.URL + "/v1", "openai-api-key": "none"})
}

func testAgentAny(t *testing.T, blocks []pageBlock) {
	k := agentsDaemon(t)
	k.tool("aider", `echo "$* at $OPENAI_BASE_URL with $OPENAI_API_KEY"; env | grep -c another-vendor`)
	out, _, code := k.sh(blocks[0].text)
	if want := "--model openai/qwen3:8b at " + k.local.URL + "/v1 with none\n0\nollama is the one to use\n"; code != 0 || out != want {
		t.Errorf("%d %q, want %q", code, out, want)
	}
}

func testAgentReport(t *testing.T, blocks []pageBlock) {
	needs(t, "curl")
	k := agentsDaemon(t)
	limited := func() bool {
		var row provider.Status
		k.do("GET", "/api/providers/openai", &row)
		return row.Source == provider.FromReport && row.Reason == provider.RateLimited && !row.RetryAt.IsZero()
	}
	if _, _, code := k.sh(blocks[0].text); code != 0 || limited() {
		t.Errorf("%d: a good answer is reported", code)
	}
	k.cloud.limited.Store(true)
	if _, _, code := k.sh(blocks[0].text); code != 0 || !limited() {
		t.Errorf("%d: a limit is not reported", code)
	}
	k.ctl("report", "openai", "--status", "429", "--retry-after", "1")
	k.cloud.limited.Store(false)
	k.ctl("wait", "openai", "--timeout", "60s")
	if _, _, code := k.sh(blocks[1].text); code != 0 || !limited() {
		t.Errorf("%d: a limit without a status line is not reported", code)
	}
}

// written writes the program of a section, and returns the section's commands.
func (k *recipeDaemon) written(blocks []pageBlock, name string) (commands string) {
	k.t.Helper()
	if len(blocks) != 2 || blocks[1].language != "sh" {
		k.t.Fatalf("a program and its commands are expected: %q", blocks)
	}
	k.file(name, blocks[0].text)
	return blocks[1].text
}

// testAgentRun runs a program for real.
func testAgentRun(t *testing.T, blocks []pageBlock, language, name string) {
	needs(t, language)
	k := agentsDaemon(t)
	commands := k.written(blocks, name)
	if out, _, code := k.sh(commands); code != 0 || out != "hello from "+strings.TrimPrefix(k.local.URL, "http://")+"\n" {
		t.Errorf("all is well: %d %q", code, out)
	}
	k.meetsLimit(commands)
}

// meetsLimit runs commands whose first provider is limited: another one answers, and
// everybody hears of the limit.
func (k *recipeDaemon) meetsLimit(commands string) {
	k.t.Helper()
	k.local.limited.Store(true)
	if out, _, code := k.sh(commands); code != 0 || out != "hello from "+strings.TrimPrefix(k.cloud.URL, "http://")+"\n" {
		k.t.Errorf("one is limited: %d %q", code, out)
	}
	var row provider.Status
	k.do("GET", "/api/providers/ollama", &row)
	if row.Source != provider.FromReport || row.RetryAt.IsZero() {
		k.t.Errorf("the limit was not reported: %s %s %s", row.State, row.Reason, row.Source)
	}
	if out := k.ctl("pick"); out != "openai\n" {
		k.t.Errorf("another is sent to %q", out)
	}
}
