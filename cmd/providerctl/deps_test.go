package main_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestImports holds what providerctl must not grow into: it starts in a few
// milliseconds because it links little.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 10 {
		t.Fatalf("only %d packages listed", len(deps))
	}
	const module = "github.com/providerd/providerd/"
	forbidden := []string{
		module + "daemon", module + "store", "net/http", "crypto/tls",
		"go.etcd.io/", "google.golang.org/grpc", "github.com/prometheus", "github.com/hashicorp/go-hclog",
	}
	leaves := []string{module + "store/provider", module + "store/trust", module + "store/userns"}
	for _, dep := range deps {
		for _, bad := range forbidden {
			if strings.HasPrefix(dep, bad) && !slices.Contains(leaves, dep) {
				t.Errorf("providerctl links %s", dep)
			}
		}
	}
}
