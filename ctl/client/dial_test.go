package client_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// env reads variables from pairs of names and values.
func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestClient_Sockets(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there the folders have other names")
	}
	uid := strconv.Itoa(os.Getuid())
	usual := []string{"/run/user/" + uid + "/providerd/providerd.sock"}
	if runtime.GOOS != "linux" {
		usual = nil
	}
	temporary := filepath.Join("/scratch", "providerd-"+uid, "providerd.sock")
	for name, tc := range map[string]struct {
		c     client.Client
		alone string   // the only path
		own   []string // the paths beside the system's
	}{
		"GivenPathStandsAlone":       {c: client.Client{Socket: "/a", Getenv: env("PROVIDERD_SOCKET", "/b")}, alone: "/a"},
		"VariableStandsAlone":        {c: client.Client{Getenv: env("PROVIDERD_SOCKET", "/b", "XDG_RUNTIME_DIR", "/c")}, alone: "/b"},
		"RuntimeDirIsTheUsers":       {c: client.Client{Getenv: env("XDG_RUNTIME_DIR", "/c", "TMPDIR", "/scratch")}, own: slices.Concat([]string{"/c/providerd/providerd.sock"}, usual, []string{temporary})},
		"TheUsualOneIsNamedOnce":     {c: client.Client{Getenv: env("XDG_RUNTIME_DIR", "/run/user/"+uid, "TMPDIR", "/scratch")}, own: []string{"/run/user/" + uid + "/providerd/providerd.sock", temporary}},
		"RelativeRuntimeDirIsNone":   {c: client.Client{Getenv: env("XDG_RUNTIME_DIR", "c", "TMPDIR", "/scratch")}, own: append(usual, temporary)},
		"WithoutItTheTemporaryIsOwn": {c: client.Client{Getenv: env("TMPDIR", "/scratch")}, own: append(usual, temporary)},
	} {
		t.Run(name, func(t *testing.T) {
			want := []string{tc.alone}
			if tc.own != nil {
				want = append(tc.own, client.SystemSocket())
				if os.Geteuid() == 0 {
					want = append([]string{client.SystemSocket()}, tc.own...)
				}
			}
			if got := tc.c.Sockets(); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestClient_Dial_Errors(t *testing.T) {
	absent := socketPath(t)
	stale := socketPath(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	plain := socketPath(t)
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		path, says, hints string
	}{
		"Absent":    {absent, "no socket at " + absent, "start it: providerd"},
		"Stale":     {stale, "nothing listens at " + stale, "start it: providerd"},
		"PlainFile": {plain, "is not a socket", "--socket"},
		"URL":       {"unix:///run/x/s", "unix:///run/x/s is a URL", "--socket /run/x/s"},
		"HTTP":      {"http://localhost", "http://localhost is a URL", "--socket PATH"},
		"TooLong":   {"/" + strings.Repeat("x", 200), "too long: 201 bytes", "--socket"},
	} {
		t.Run(name, func(t *testing.T) {
			c := &client.Client{Socket: tc.path, DialPatience: -1}
			_, err := c.Daemon(t.Context())
			e := wantCode(t, err, provider.DaemonUnreachable)
			if !strings.Contains(e.Message, tc.says) || !strings.Contains(e.Hint, tc.hints) {
				t.Errorf("message %q, hint %q", e.Message, e.Hint)
			}
		})
	}
}

func TestClient_Dial_WhatCannotPassIsNotTriedAgain(t *testing.T) {
	plain := socketPath(t)
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{plain, "unix://" + plain} {
		c := &client.Client{Socket: path, DialPatience: time.Hour}
		_, err := c.Daemon(t.Context())
		wantCode(t, err, provider.DaemonUnreachable)
	}
}

func TestClient_Dial_Denied(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may open every socket")
	}
	path := socketPath(t)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	c := &client.Client{Socket: path, DialPatience: time.Hour}
	_, err = c.Daemon(t.Context())
	wantCode(t, err, provider.Denied)
}

// The daemon begins to listen after the first dial has failed: the search reads the
// variable again each time, which shows when that was.
func TestClient_Dial_WaitsForADaemonThatIsStarting(t *testing.T) {
	path := socketPath(t)
	accepted := make(chan struct{})
	dials := 0
	c := &client.Client{DialPatience: time.Minute}
	c.Getenv = func(string) string {
		dials++
		if dials == 3 {
			l, err := net.Listen("unix", path)
			if err != nil {
				t.Error(err)
			}
			go func() {
				defer close(accepted)
				defer l.Close()
				if conn, err := l.Accept(); err == nil {
					_, _ = conn.Read(make([]byte, 4096))
					_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
					conn.Close()
				}
			}()
		}
		return path
	}
	if _, err := c.Daemon(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-accepted
	if dials != 3 {
		t.Errorf("%d dials", dials)
	}
}

func TestClient_Dial_ContextEndsTheWaiting(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	c := &client.Client{Socket: socketPath(t), DialPatience: time.Hour}
	_, err := c.Daemon(ctx)
	wantCode(t, err, provider.DaemonUnreachable)
}

func TestClient_Dial_TemporaryFolder(t *testing.T) {
	if _, err := os.Stat(client.SystemSocket()); err == nil {
		t.Skip("a daemon of the whole machine would answer too")
	}
	listen := func(t *testing.T, mode os.FileMode) (tmp string) {
		t.Helper()
		tmp = filepath.Dir(socketPath(t))
		dir := filepath.Join(tmp, "providerd-"+strconv.Itoa(os.Getuid()))
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("unix", filepath.Join(dir, "providerd.sock"))
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = conn.Read(make([]byte, 4096))
				_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"pid\":4242}"))
				conn.Close()
			}
		}()
		t.Cleanup(func() { l.Close(); <-done })
		return tmp
	}
	ask := func(t *testing.T, tmp string) bool {
		c := &client.Client{Getenv: env("TMPDIR", tmp), DialPatience: -1}
		info, err := c.Daemon(t.Context())
		return err == nil && info.PID == 4242
	}
	t.Run("OursIsTrusted", func(t *testing.T) {
		if !ask(t, listen(t, 0o700)) {
			t.Error("the daemon was not found")
		}
	})
	t.Run("WritableByOthersIsNot", func(t *testing.T) {
		if ask(t, listen(t, 0o777)) {
			t.Error("a daemon was found where anybody could have put it")
		}
	})
	t.Run("LinkIsNot", func(t *testing.T) {
		target := listen(t, 0o700)
		name := "providerd-" + strconv.Itoa(os.Getuid())
		tmp := filepath.Dir(socketPath(t))
		if err := os.Symlink(filepath.Join(target, name), filepath.Join(tmp, name)); err != nil {
			t.Fatal(err)
		}
		if ask(t, tmp) {
			t.Error("a daemon was found behind a link")
		}
	})
}
