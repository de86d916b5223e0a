//go:build unix

package socket_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/socket"
)

// Whatever happens to the socket's file is noticed, and can be repaired by listening again, unless
// another process listens or something else is in the way.
func TestListener_Lost(t *testing.T) {
	for _, tt := range []struct {
		name   string
		happen func(t *testing.T, path string)
		lost   string // empty: it is not
		anew   string // why it cannot listen again; empty: it can
		inUse  bool
	}{
		{"Nothing", func(*testing.T, string) {}, "", "in use by", true},
		{"Removed", func(t *testing.T, path string) { must(t, os.Remove(path)) }, "the socket is gone", "", false},
		{"Moved", func(t *testing.T, path string) { must(t, os.Rename(path, path+".old")) }, "the socket is gone", "", false},
		{"MovedAndBack", func(t *testing.T, path string) {
			must(t, os.Rename(path, path+".old"))
			must(t, os.Rename(path+".old", path))
		}, "", "in use by", true},
		{"FolderRemoved", func(t *testing.T, path string) { must(t, os.RemoveAll(filepath.Dir(path))) }, "the socket is gone", "", false},
		{"FolderMoved", func(t *testing.T, path string) {
			must(t, os.Rename(filepath.Dir(path), filepath.Dir(path)+".old"))
		}, "the socket is gone", "", false},
		{"FolderMadeAnew", func(t *testing.T, path string) {
			must(t, os.Rename(filepath.Dir(path), filepath.Dir(path)+".old"))
			mkdir(t, filepath.Dir(path), 0o755)
		}, "the socket is gone", "", false},
		{"ADeadOneInItsPlace", func(t *testing.T, path string) {
			must(t, os.Remove(path))
			dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
			must(t, err)
			dead.SetUnlinkOnClose(false)
			dead.Close()
		}, "another socket is in its place", "", false},
		{"AFileInItsPlace", func(t *testing.T, path string) {
			must(t, os.Remove(path))
			must(t, os.WriteFile(path, nil, 0o600))
		}, "a file is in the place of the socket", "a file is there already", false},
		{"AFolderInItsPlace", func(t *testing.T, path string) {
			must(t, os.Remove(path))
			mkdir(t, path, 0o755)
		}, "a folder is in the place of the socket", "a folder is there already", false},
		{"ALinkInItsPlace", func(t *testing.T, path string) {
			must(t, os.Rename(path, path+".old"))
			must(t, os.Symlink(path+".old", path))
		}, "a symbolic link is in the place of the socket", "a symbolic link is there already", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := socketPath(t)
			l := mustListen(t, path, 0o600)
			tt.happen(t, path)
			err := l.Lost()
			if got := problemOf(err); (got == "") != (tt.lost == "") || !strings.Contains(got, tt.lost) {
				t.Errorf("lost: %v, want %q", err, tt.lost)
			}
			again, err := socket.Listen(path, 0o600)
			if got := problemOf(err); (got == "") != (tt.anew == "") || !strings.Contains(got, tt.anew) {
				t.Errorf("anew: %v, want %q", err, tt.anew)
			}
			if e := (*socket.Error)(nil); errors.As(err, &e) && e.InUse != tt.inUse {
				t.Errorf("in use: %t", e.InUse)
			}
			if again == nil {
				return
			}
			defer again.Close()
			if err := again.Lost(); err != nil {
				t.Errorf("the new one: %v", err)
			}
			l.Close()
			if _, err := os.Lstat(path); err != nil {
				t.Errorf("the old one removed the new one: %v", err)
			}
		})
	}
}

// The loss of an inherited socket's file is noticed too.
func TestListener_LostThatWasInherited(t *testing.T) {
	path := socketPath(t)
	mkdir(t, filepath.Dir(path), 0o755)
	owner, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	must(t, err)
	defer owner.Close()
	l, err := socket.Inherit(file(t, owner))
	must(t, err)
	defer l.Close()
	if err := l.Lost(); err != nil || l.Made() {
		t.Errorf("lost: %v, made: %t", err, l.Made())
	}
	must(t, os.Rename(path, path+".old"))
	if err := l.Lost(); err == nil {
		t.Error("it is not missed")
	}
	late, err := socket.Inherit(file(t, owner))
	must(t, err)
	defer late.Close()
	if err := late.Lost(); err == nil {
		t.Error("what was gone before is not missed")
	}
	must(t, os.Link(path+".old", path)) // as is by a file system that numbers files as it likes
	if err := late.Lost(); err != nil {
		t.Errorf("it is there, and clients reach it: %v", err)
	}
}

func problemOf(err error) string {
	var e *socket.Error
	if errors.As(err, &e) {
		return e.Problem
	}
	return ""
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
