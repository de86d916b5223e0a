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
	"golang.org/x/sys/unix"
)

func TestInherit(t *testing.T) {
	path := socketPath(t)
	mkdir(t, filepath.Dir(path), 0o777) // not a folder that Listen would take
	owner, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	before, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second daemon finds what the first left
		f := file(t, owner)
		l, err := socket.Inherit(f)
		if err != nil {
			t.Fatal(err)
		}
		if l.Path() != path {
			t.Errorf("path %q, want %q", l.Path(), path)
		}
		if f.Close() == nil {
			t.Error("the descriptor that was passed on is left open")
		}
		raw, err := l.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		if err := raw.Control(func(fd uintptr) {
			if flags, err := unix.FcntlInt(fd, unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
				t.Errorf("children inherit it: flags %#x, %v", flags, err)
			}
		}); err != nil {
			t.Fatal(err)
		}
		client, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		if nc, err := l.Accept(); err != nil {
			t.Error(err)
		} else {
			nc.Close()
		}
		client.Close()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		after, err := os.Lstat(path)
		if err != nil || !os.SameFile(before, after) || after.Mode() != before.Mode() {
			t.Errorf("it was %v, and now is %v, %v", before, after, err)
		}
	}
	if nc, err := net.Dial("unix", path); err != nil { // the owner still listens
		t.Error(err)
	} else {
		nc.Close()
	}
}

func TestInherit_Refuses(t *testing.T) {
	for _, tt := range []struct {
		name, problem string
		made          func(t *testing.T) *os.File
	}{
		{"File", "not a socket", func(t *testing.T) *os.File {
			f, err := os.Open(os.DevNull)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}},
		{"TCP", "instead of a Unix socket", func(t *testing.T) *os.File {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			return file(t, l.(*net.TCPListener))
		}},
		{"Datagrams", "does not listen", func(t *testing.T) *os.File {
			path := socketPath(t)
			mkdir(t, filepath.Dir(path), 0o700)
			c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			return file(t, c)
		}},
		{"Connected", "does not listen", func(t *testing.T) *os.File {
			path := socketPath(t)
			l := mustListen(t, path, 0o600)
			client, err := net.Dial("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			nc, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			return file(t, nc.(*net.UnixConn))
		}},
		{"WithoutAPath", "has no path", func(t *testing.T) *os.File {
			fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
			if err != nil {
				t.Fatal(err)
			}
			f := os.NewFile(uintptr(fd), "unnamed")
			t.Chdir(t.TempDir())
			if err := unix.Bind(fd, &unix.SockaddrUnix{Name: "relative"}); err != nil {
				t.Fatal(err)
			}
			if err := unix.Listen(fd, 1); err != nil {
				t.Fatal(err)
			}
			return f
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := socket.Inherit(tt.made(t))
			if err == nil {
				l.Close()
				t.Fatal("it is taken")
			}
			var se *socket.Error
			if !errors.As(err, &se) || !strings.Contains(err.Error(), tt.problem) || !strings.Contains(se.Hint(), "ListenStream=") {
				t.Errorf("got %q, want one that says %q and a hint", err, tt.problem)
			}
		})
	}
}

// file is a duplicate of a socket's descriptor, as a service manager passes it on.
func file(t *testing.T, s interface{ File() (*os.File, error) }) *os.File {
	t.Helper()
	f, err := s.File()
	if err != nil {
		t.Fatal(err)
	}
	return f
}
