package cmd_test

import (
	"os"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
)

// The example configuration is good with the kinds that there really are.
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
