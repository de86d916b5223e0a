//go:build unix

package configfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/providerd/providerd/daemon/configfile"
)

// Whether somebody else may read a file is told from all that is on the way to it.
func TestUser_May(t *testing.T) {
	mine := uint32(os.Getegid())
	for name, c := range map[string]struct {
		folder, file fs.FileMode
		groups       []uint32
		run, link    bool
		closed       string // which part; empty: they may
	}{
		"OpenToAll":         {folder: 0o755, file: 0o644},
		"FileIsClosed":      {folder: 0o755, file: 0o600, closed: "file"},
		"FolderIsClosed":    {folder: 0o700, file: 0o644, closed: "folder"},
		"FolderIsPassed":    {folder: 0o711, file: 0o644},
		"ByTheGroup":        {folder: 0o750, file: 0o640, groups: []uint32{mine}},
		"TheGroupIsLessYet": {folder: 0o755, file: 0o604, groups: []uint32{mine}, closed: "file"},
		"Program":           {folder: 0o755, file: 0o755, run: true},
		"ProgramIsNone":     {folder: 0o755, file: 0o644, run: true, closed: "file"},
		"LinkToTheClosed":   {folder: 0o700, file: 0o644, link: true, closed: "folder"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "pd") // t.TempDir is closed to others
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(dir) })
			parts := map[string]string{"folder": filepath.Join(dir, "folder"), "file": filepath.Join(dir, "folder", "file")}
			if err := os.Mkdir(parts["folder"], 0o755); err != nil {
				t.Fatal(err)
			}
			put(t, parts["file"], "x")
			path := parts["file"]
			if c.link {
				path = filepath.Join(dir, "link")
				if err := os.Symlink(parts["file"], path); err != nil {
					t.Fatal(err)
				}
			}
			for path, mode := range map[string]fs.FileMode{parts["file"]: c.file, dir: 0o755} {
				if err := os.Chmod(path, mode); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(parts["folder"], c.folder); err != nil {
				t.Fatal(err)
			}
			err = configfile.User{Name: "somebody", UID: 60_010, GID: 60_010, Groups: c.groups}.May(path, c.run)
			var denied *configfile.UnreadableError
			switch {
			case c.closed == "" && err != nil:
				t.Error(err)
			case c.closed != "" && (!errors.As(err, &denied) || denied.Part != parts[c.closed]):
				t.Errorf("got %v, want that %s is closed", err, parts[c.closed])
			}
			if err := (configfile.User{UID: 0}).May(path, false); err != nil {
				t.Errorf("root: %v", err)
			}
		})
	}
}

func TestUser_MayNotBeToldOfWhatIsNotThere(t *testing.T) {
	if err := (configfile.User{UID: 60_010}).May("/nowhere/at/all", false); err != nil {
		t.Error(err)
	}
}
