package cmd_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
)

// The example configuration is valid with the real kinds.
func TestDocs_ExampleConfiguration(t *testing.T) {
	data, err := os.ReadFile("../docs/providerd.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	env := config.OSEnv()
	env.Getenv = func(string) string { return "" }
	if _, err := config.Parse("providerd.example.toml", data, probe.Kinds(), env); err != nil {
		t.Error(err)
	}
}

// A build of several programs leaves none unless it is told where.
func TestDocs_BuildsLeavePrograms(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	several := regexp.MustCompile(`go build( [^&|;` + "`" + `\n]*)? (\./\S*\.\.\.|\./\S+ +\./)`)
	builds := 0
	for _, page := range append(pages, "../README.md", "../CONTRIBUTING.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, build := range several.FindAllString(string(text), -1) {
			builds++
			if !strings.Contains(build, " -o ") {
				t.Errorf("%s: %q leaves no program", page, build)
			}
		}
	}
	if builds < 2 {
		t.Errorf("%d builds are found", builds)
	}
}
