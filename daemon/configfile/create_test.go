package configfile_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/providerd/providerd/daemon/configfile"
)

// Of many who make the file at once, one does, and nobody ever reads half of it.
func TestCreate_ReplacesNothingInARace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "providerd.toml")
	long := strings.Repeat("# a line of a file\n", 2000)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var made []string
	for i := range 8 {
		wg.Go(func() {
			text := fmt.Sprintf("# %d\n%s", i, long)
			err := configfile.Create(path, []byte(text), configfile.OfUser)
			mu.Lock()
			defer mu.Unlock()
			switch seen, readErr := os.ReadFile(path); {
			case err == nil:
				made = append(made, text)
			case !errors.Is(err, configfile.ErrExists):
				t.Errorf("create: %v", err)
			case readErr != nil || len(seen) != len(text):
				t.Errorf("a file is there with %d bytes of %d: %v", len(seen), len(text), readErr)
			}
		})
	}
	wg.Wait()
	got, err := os.ReadFile(path)
	if err != nil || len(made) != 1 || string(got) != made[0] {
		t.Errorf("%d made the file, err %v", len(made), err)
	}
	onlyThe(t, path)
}

func TestCreate_ModesAreThoseOfItsOwner(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such modes")
	}
	for name, c := range map[string]struct {
		modes        configfile.Modes
		file, folder fs.FileMode
	}{
		"User":   {configfile.OfUser, 0o600, 0o700},
		"System": {configfile.OfSystem, 0o644, 0o755},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "providerd", "providerd.toml")
			if err := configfile.Create(path, []byte("x"), c.modes); err != nil {
				t.Fatal(err)
			}
			for path, want := range map[string]fs.FileMode{path: c.file, filepath.Dir(path): c.folder} {
				if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
					t.Errorf("%s: %v %v, want %v", path, info.Mode(), err, want)
				}
			}
		})
	}
}

// A link that leads nowhere is something too: what is written through it would be
// written where somebody else said.
func TestCreate_ALinkIsSomething(t *testing.T) {
	dir := t.TempDir()
	path, to := filepath.Join(dir, "providerd.toml"), filepath.Join(dir, "elsewhere")
	if err := os.Symlink(to, path); err != nil {
		t.Skip(err)
	}
	if err := configfile.Create(path, []byte("x"), configfile.OfUser); !errors.Is(err, configfile.ErrExists) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("written through the link: %v", err)
	}
}

// onlyThe checks that nothing is left beside the file.
func onlyThe(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside %s: %v %v", path, entries, err)
	}
}
