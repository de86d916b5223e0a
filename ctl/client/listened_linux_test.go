package client_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// A daemon whose socket's file is gone is not called "not running", and nobody is told to
// start it: it creates the file again.
func TestClient_WhenTheSocketsFileIsGone(t *testing.T) {
	dir, err := os.MkdirTemp("", "pc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for name, replace := range map[string]func(path string) error{
		"Removed": func(string) error { return nil },
		"Replaced": func(path string) error {
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
			if err != nil {
				return err
			}
			l.SetUnlinkOnClose(false)
			return l.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			l, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			c := client.Client{Socket: path, DialPatience: -1}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := replace(path); err != nil {
				t.Fatal(err)
			}
			_, err = c.Do(context.Background(), client.Request{Path: client.HealthPath})
			if e := wantCode(t, err, provider.DaemonUnreachable); !strings.Contains(e.Message, "the file of its socket is gone") || strings.Contains(e.Hint, "start it: ") {
				t.Errorf("message %q, hint %q", e.Message, e.Hint)
			}
			l.Close()
			_, err = c.Do(context.Background(), client.Request{Path: client.HealthPath})
			if e := wantCode(t, err, provider.DaemonUnreachable); !strings.Contains(e.Message, "not running") || !strings.Contains(e.Hint, "start it: ") {
				t.Errorf("once it has ended: message %q, hint %q", e.Message, e.Hint)
			}
		})
	}
}

// Nor is one whose folder somebody replaced by a file.
func TestClient_WhenTheSocketsFolderIsNone(t *testing.T) {
	dir, err := os.MkdirTemp("", "pc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	folder := filepath.Join(dir, "f")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := client.Client{Socket: path, DialPatience: -1}
	_, err = c.Do(context.Background(), client.Request{Path: client.HealthPath})
	if e := wantCode(t, err, provider.DaemonUnreachable); !strings.Contains(e.Message, "the file of its socket is gone") || strings.Contains(e.Hint, "start it: ") || !strings.Contains(e.Hint, "in a container") {
		t.Errorf("message %q, hint %q", e.Message, e.Hint)
	}
	if !client.MayCome(err) {
		t.Error("it does not come back, though it listens still")
	}
}
