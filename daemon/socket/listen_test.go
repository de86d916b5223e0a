package socket_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/socket"
)

func TestListen(t *testing.T) {
	t.Run("CreatesTheFolderForOthersOrForUs", func(t *testing.T) {
		for mode, want := range map[os.FileMode]os.FileMode{0o666: 0o755, 0o600: 0o700} {
			path := socketPath(t)
			mustListen(t, path, mode)
			info, err := os.Stat(filepath.Dir(path))
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode().Perm(); got&^want != 0 { // the umask may take more away
				t.Errorf("socket %o: folder %o, want %o", mode, got, want)
			}
		}
	})
	t.Run("CloseRemovesIt", func(t *testing.T) {
		path := socketPath(t)
		mustListen(t, path, 0o600).Close()
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("it is still there: %v", err)
		}
	})
	t.Run("CloseLeavesAnothersAlone", func(t *testing.T) {
		path := socketPath(t)
		l := mustListen(t, path, 0o600)
		os.Remove(path)
		other := mustListen(t, path, 0o600)
		l.Close()
		if nc, err := net.Dial("unix", path); err != nil {
			t.Errorf("the other is gone: %v", err)
		} else {
			nc.Close()
		}
		other.Close()
	})
	t.Run("StaleOneIsReplaced", func(t *testing.T) {
		path := socketPath(t)
		mustListen(t, path, 0o600).Close()
		dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		dead.SetUnlinkOnClose(false)
		dead.Close()
		mustListen(t, path, 0o600)
	})
}

func TestListen_Refuses(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(t *testing.T, path string) string // returns the path to listen on
		problem string
	}{
		{"TooLong", func(_ *testing.T, path string) string { return path + strings.Repeat("x", 104-len(path)) }, "the path has 104 bytes"},
		{"InUse", func(t *testing.T, path string) string {
			mustListen(t, path, 0o600)
			return path
		}, "in use by"},
		{"File", func(t *testing.T, path string) string { return write(t, path) }, "a file is there already"},
		{"Folder", func(t *testing.T, path string) string {
			mkdir(t, path, 0o700)
			return path
		}, "a folder is there already"},
		{"LinkToASocket", func(t *testing.T, path string) string {
			mustListen(t, path, 0o600)
			if err := os.Symlink(path, path+"2"); err != nil {
				t.Fatal(err)
			}
			return path + "2"
		}, "a symbolic link is there already"},
		{"FolderIsAFile", func(t *testing.T, path string) string {
			return filepath.Join(write(t, path), "p.sock")
		}, "is not a folder"},
		{"FolderIsALink", func(t *testing.T, path string) string {
			dir := filepath.Dir(path)
			if err := os.Symlink(t.TempDir(), dir); err != nil {
				t.Fatal(err)
			}
			return path
		}, "is a symbolic link"},
		{"FolderOthersCanWrite", func(t *testing.T, path string) string {
			mkdir(t, filepath.Dir(path), 0o777)
			return path
		}, "can be written by everybody"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := tt.prepare(t, socketPath(t))
			before, _ := os.Lstat(path)
			l, err := socket.Listen(path, 0o600)
			if err == nil {
				l.Close()
				t.Fatal("it listens")
			}
			var se *socket.Error
			if !errors.As(err, &se) || !strings.Contains(err.Error(), tt.problem) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %q, want one that names the path and says %q", err, tt.problem)
			}
			if after, _ := os.Lstat(path); before != nil && !os.SameFile(before, after) {
				t.Error("what was there is gone")
			}
		})
	}
}

// A folder like /tmp, where everyone can remove only their own files, is fine.
func TestListen_InASharedStickyFolder(t *testing.T) {
	path := socketPath(t)
	mkdir(t, filepath.Dir(path), 0o700)
	if err := os.Chmod(filepath.Dir(path), 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	mustListen(t, path, 0o600)
}

func TestListen_InUseNamesTheProcess(t *testing.T) {
	path := socketPath(t)
	mustListen(t, path, 0o600)
	_, err := socket.Listen(path, 0o600)
	var se *socket.Error
	if !errors.As(err, &se) || se.Hint() == "" {
		t.Fatalf("got %v", err)
	}
	if se.PID == 0 {
		t.Skip("this system does not tell")
	}
	if se.PID != os.Getpid() || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("got %v, want process %d", err, os.Getpid())
	}
}

func mustListen(t *testing.T, path string, mode os.FileMode) *socket.Listener {
	t.Helper()
	l, err := socket.Listen(path, mode)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// write puts a plain file at path and returns it.
func write(t *testing.T, path string) string {
	t.Helper()
	mkdir(t, filepath.Dir(path), 0o700)
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// mkdir makes a folder with that mode, whatever the umask.
func mkdir(t *testing.T, dir string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
}
