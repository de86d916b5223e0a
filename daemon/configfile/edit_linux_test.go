package configfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Whose file it is stays so, and who else may read it, whoever edits it.
func TestEdit_OwnerAndAccessListStay(t *testing.T) {
	s := newSession(t, "old", "new")
	if os.Geteuid() == 0 {
		if err := os.Chown(s.path, 60_010, 60_011); err != nil {
			t.Fatal(err)
		}
	}
	const attribute, value = "user.providerd.test", "kept"
	marked := unix.Setxattr(s.path, attribute, []byte(value), 0) == nil
	before := owner(t, s.path)
	_, err := s.edit.Run()
	if err != nil {
		t.Fatal(err)
	}
	s.ends(err, "new", false)
	if after := owner(t, s.path); after != before {
		t.Errorf("owner %v, was %v", after, before)
	}
	got := make([]byte, 64)
	if n, err := unix.Getxattr(s.path, attribute, got); marked && (err != nil || string(got[:n]) != value) {
		t.Errorf("the attribute is %q %v", got[:max(n, 0)], err)
	}
}

func owner(t *testing.T, path string) [2]uint32 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	st := info.Sys().(*syscall.Stat_t)
	return [2]uint32{st.Uid, st.Gid}
}

// Whoever owns the folder could have root write somewhere else.
func TestEdit_RootWritesNothingInAnothersFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("this is about root")
	}
	s := newSession(t, "old", "new")
	if err := os.Chown(filepath.Dir(s.path), 60_010, 60_010); err != nil {
		t.Fatal(err)
	}
	_, err := s.edit.Run()
	if err == nil || !strings.Contains(err.Error(), "belongs to uid 60010") || len(s.edits) != 1 {
		t.Errorf("got %v, and %d edits are left", err, len(s.edits))
	}
	s.ends(err, "old", false)
}
