//go:build unix

package cmd_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func testAgentZed(t *testing.T, blocks []pageBlock) {
	k := agentsDaemon(t)
	k.runs("zed", blocks, "zed [.]\n")
	type model struct {
		Name      string `json:"name"`
		Display   string `json:"display_name"`
		MaxTokens int    `json:"max_tokens"`
	}
	type server struct {
		URL    string  `json:"api_url"`
		Models []model `json:"available_models"`
	}
	type settings struct {
		Agent struct {
			Model map[string]string `json:"default_model"`
		} `json:"agent"`
		Models map[string]map[string]server `json:"language_models"`
	}
	const path = ".config/zed/settings.json"
	commented, err := os.ReadFile(filepath.Join(k.dir, path))
	if err != nil {
		t.Fatal(err)
	}
	start := regexp.MustCompile(`(?m)^// start it with the key of ollama: (\S+) zed$`).FindSubmatch(commented)
	if start == nil || !strings.Contains(blocks[0].text, string(start[1])+" zed .") || !bytes.Contains(commented, []byte("// PROVIDERD_OPENAI_API_KEY is not set here;")) {
		t.Errorf("the comments name other variables: %s", commented)
	}
	k.file(path, regexp.MustCompile(`(?m)^// .*\n`).ReplaceAllString(string(commented), "")) // Zed reads comments
	var got settings
	k.parses(path, &got)
	is(t, got.Agent.Model, map[string]string{"provider": "providerd-ollama", "model": "qwen3:8b"})
	is(t, got.Models, map[string]map[string]server{"openai_compatible": {
		"providerd-ollama": {k.local.URL + "/v1", []model{{"qwen3:8b", "ollama qwen3:8b", 32768}}},
		"providerd-openai": {k.cloud.URL + "/v1", []model{{"qwen3:8b", "openai qwen3:8b", 32768}}},
	}})
	k.runs("zed", blocks, string(commented)+"zed [.]\n") // settings that are there stay
}

func testAgentLLM(t *testing.T, blocks []pageBlock) {
	k := agentsDaemon(t)
	if err := os.Mkdir(filepath.Join(k.dir, "io.datasette.llm"), 0o700); err != nil {
		t.Fatal(err)
	}
	k.tool("llm", `case $* in "logs path") echo "$HOME/io.datasette.llm/logs.db" ;; *) printf 'llm'; printf ' [%s]' "$@"; echo ;; esac`)
	if out, talk, code := k.sh(blocks[0].text); code != 0 || out != "llm [-m] [ollama/qwen3:8b] [say hello]\n" {
		t.Errorf("%d %q %q", code, out, talk)
	}
	var got []map[string]string
	k.parses("io.datasette.llm/extra-openai-models.yaml", &got)
	is(t, got, []map[string]string{
		{"model_id": "ollama/qwen3:8b", "model_name": "qwen3:8b", "api_base": k.local.URL + "/v1"},
		{"model_id": "openai/qwen3:8b", "model_name": "qwen3:8b", "api_base": k.cloud.URL + "/v1", "api_key_name": "PROVIDERD_OPENAI_API_KEY"},
	})
}
