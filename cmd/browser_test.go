package cmd_test

import (
	"os"
	"testing"
)

// The dashboard is tested in a browser, by a module that `go test ./...` does not enter.
// This test stands for it in the list of what was left out.
func TestDashboard_InABrowser(t *testing.T) {
	const module = "packaging/browsertest"
	if _, err := os.Stat("../" + module + "/go.mod"); err != nil {
		t.Fatal(err)
	}
	t.Skip("another module has these tests: " + module)
}
