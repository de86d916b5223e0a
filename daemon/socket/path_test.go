package socket_test

import (
	"os"
	"path/filepath"
	"testing"
)

// socketPath is a path in a folder whose mode does not depend on the umask.
func socketPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "c", "p.sock")
}
