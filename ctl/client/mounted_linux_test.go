package client

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestIsMounted(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(dir, "gone"), filepath.Join(dir, "gone", "too"), dir} {
		if isMounted(path) {
			t.Errorf("%s is not mounted", path)
		}
	}
	if err := unix.Mount("/dev/null", file, "", unix.MS_BIND, ""); err != nil {
		t.Skip("this user cannot mount: ", err)
	}
	defer unix.Unmount(file, unix.MNT_DETACH)
	if !isMounted(file) {
		t.Errorf("%s is mounted", file)
	}
}
