package cmd_test

import (
	"os"
	"testing"
)

// A fleet is tested on real etcd servers by a module that `go test ./...` does not enter.
// This test stands for it in the list of what was left out.
func TestFleet_OnEtcd(t *testing.T) {
	const module = "packaging/fleettest"
	if _, err := os.Stat("../" + module + "/go.mod"); err != nil {
		t.Fatal(err)
	}
	t.Skip("another module has these tests: " + module)
}
