package cmd_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"
)

// Each configuration in docs/mcp.md is valid, and runs providerctl mcp.
func TestMCP_DocumentedConfigurations(t *testing.T) {
	parsers := map[string]func([]byte, any) error{"json": json.Unmarshal, "toml": toml.Unmarshal, "yaml": yaml.Unmarshal}
	blocks := regexp.MustCompile("(?s)```(json|toml|yaml)\n(.*?)```").FindAllStringSubmatch(read(t, "../docs/mcp.md"), -1)
	if len(blocks) != 7 {
		t.Errorf("%d configurations", len(blocks))
	}
	for _, block := range blocks {
		var config any
		if err := parsers[block[1]]([]byte(block[2]), &config); err != nil {
			t.Errorf("%v in %s", err, block[2])
			continue
		}
		if got := commandsIn(config); !slices.Equal(got, []string{"providerctl mcp"}) {
			t.Errorf("it runs %q: %s", got, block[2])
		}
	}
}

// commandsIn are the command lines in a configuration.
func commandsIn(config any) (lines []string) {
	switch config := config.(type) {
	case map[string]any:
		if command := words(config["command"]); len(command) > 0 {
			return []string{strings.Join(append(command, words(config["args"])...), " ")}
		}
		for _, v := range config {
			lines = append(lines, commandsIn(v)...)
		}
	case []any:
		for _, v := range config {
			lines = append(lines, commandsIn(v)...)
		}
	}
	return lines
}

// words are those of a text or of a list.
func words(v any) (all []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, w := range v {
			all = append(all, words(w)...)
		}
	}
	return all
}
