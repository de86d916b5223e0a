//go:build unix

package examine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/providerd/providerd/ctl/doctor"
	"github.com/providerd/providerd/store/provider"
)

// The providerd beside this program is run only where nobody else can have put it there.
func TestBeside(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "providerd")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(program, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s := &Scene{run: run}
	look := func() doctor.Beside { return s.besideIn(t.Context(), program) }
	if b := look(); b != (doctor.Beside{}) {
		t.Errorf("where there is none: %+v", b)
	}
	write("echo providerd v1.2.3 '(go)'")
	if b := look(); b.Version != "v1.2.3" || b.Problem != "" {
		t.Errorf("a good one: %+v", b)
	}
	write("touch " + dir + "/ran; echo something else")
	if b := look(); b.Version != "" || b.Problem == "" {
		t.Errorf("another program: %+v", b)
	}
	if err := os.Remove(dir + "/ran"); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(program, 0o777); err != nil {
		t.Fatal(err)
	}
	if b := look(); !strings.Contains(b.Problem, "written by everybody") {
		t.Errorf("one that everybody can write: %+v", b)
	}
	if exists(dir + "/ran") {
		t.Error("one that everybody can write is run")
	}
}

// What is asked for does not hang, whatever it is.
func TestRun_IsBounded(t *testing.T) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, code, err := run(ctx, "sleep", "600"); err == nil || code != -1 {
		t.Errorf("code %d, %v", code, err)
	}
	if time.Since(began) > time.Minute {
		t.Error("it was waited for")
	}
	out, _, _, err := run(t.Context(), "sh", "-c", "head -c 1000000 /dev/zero; exit 3")
	if err != nil || len(out) != mostOutput {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	if _, said, code, err := run(t.Context(), "sh", "-c", "echo no >&2; exit 3"); err != nil || code != 3 || said != "no\n" {
		t.Errorf("code %d, %q, %v", code, said, err)
	}
	if _, _, _, err := run(t.Context(), "/nonexistent/program"); err == nil {
		t.Error("what is not there ran")
	}
}

func TestReadable(t *testing.T) {
	dir := t.TempDir()
	if when, err := readable(dir + "/none"); !when.IsZero() || err == nil {
		t.Errorf("a file that is not there: %v, %v", when, err)
	}
	if err := syscall.Mkfifo(dir+"/pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	if when, err := readable(dir + "/pipe"); when.IsZero() || err == nil { // and it returns
		t.Errorf("a named pipe: %v, %v", when, err)
	}
	if err := os.WriteFile(dir+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if when, err := readable(dir + "/file"); when.IsZero() || err != nil {
		t.Errorf("a file: %v, %v", when, err)
	}
}

// A daemon of another user may call any file its configuration. It is looked at only if
// that shows nothing which that user could not read, and cannot be another one by then.
func TestFile_AnothersDaemonNamesASecret(t *testing.T) {
	dir, err := os.MkdirTemp("", "ex")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "secret")
	ran := false
	s := &Scene{Getenv: func(string) string { return "" }, run: func(context.Context, string, ...string) (string, string, int, error) {
		ran = true
		return "", "shadow:1:1: the text of a secret", 1, nil
	}}
	for _, c := range []struct {
		name         string
		listener     int
		mode, folder os.FileMode
		read         bool
	}{
		{"MyOwn", os.Getuid(), 0o600, 0o755, true},
		{"Roots", 0, 0o600, 0o755, true},
		{"NotKnown", -1, 0o600, 0o755, true},
		{"Anothers", 4711, 0o600, 0o755, false},
		{"AnothersOfAGroup", 4711, 0o640, 0o755, false},
		{"AnothersBehindAFolder", 4711, 0o644, 0o700, false},
		{"AnothersThatAllCanReplace", 4711, 0o666, 0o755, false},
		{"AnothersThatAllCanRead", 4711, 0o644, 0o755, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte("secret"), c.mode); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(os.Chmod(path, c.mode), os.Chmod(dir, c.folder)); err != nil {
				t.Fatal(err)
			}
			ran = false
			f := &doctor.Facts{
				Me: doctor.Me{UID: os.Getuid(), Root: os.Getuid() == 0}, Beside: doctor.Beside{Path: "/usr/bin/providerd"},
				Info: &provider.DaemonInfo{ConfigPath: path}, Places: []doctor.Place{{Path: "/s", Chosen: true, Listener: c.listener}},
			}
			file := s.file(t.Context(), f)
			if read := file.Said != "" || ran; read != c.read {
				t.Errorf("it was looked at: %v, %+v", read, file)
			}
		})
	}
}

// The room is that of the folder or, while it is not made, of where it would be.
func TestDisk(t *testing.T) {
	d := diskOf(filepath.Join(t.TempDir(), "not", "made"))
	if !d.Known || d.Free == 0 || d.Total < d.Free || d.ReadOnly || !strings.HasSuffix(d.Folder, "not/made") {
		t.Errorf("%+v", d)
	}
	if d := diskOf("relative"); d.Known || d.Folder != "" {
		t.Errorf("a relative path: %+v", d)
	}
}

// A manager is asked as it is, and for nothing that may hold keys.
func TestUnit(t *testing.T) {
	var asked []string
	state := "active"
	s := &Scene{run: func(_ context.Context, name string, args ...string) (string, string, int, error) {
		line := name + " " + strings.Join(args, " ")
		asked = append(asked, line)
		switch {
		case name == "journalctl":
			return "one\ntwo\n", "", 0, nil
		case strings.Contains(line, "providerd.socket"):
			return "UnitFileState=enabled\n", "", 0, nil
		}
		return "LoadState=loaded\nActiveState=" + state + "\nFragmentPath=/nonexistent\n", "", 0, nil
	}}
	if u := s.unit(t.Context(), false); !u.Installed || u.Socket != "enabled" || u.Journal != nil {
		t.Errorf("%+v", u)
	}
	state = "failed"
	if u := s.unit(t.Context(), true); len(u.Journal) != 2 || !u.User {
		t.Errorf("%+v", u)
	}
	for i, line := range asked {
		if strings.Contains(line, "Environment,") || strings.HasSuffix(line, "Environment") {
			t.Errorf("asked for keys: %s", line)
		}
		if user := strings.Contains(line, "--user"); user != (i >= 2) {
			t.Errorf("asked of the wrong one: %s", line)
		}
	}
	s.run = func(context.Context, string, ...string) (string, string, int, error) {
		return "", "Failed to connect to bus", 1, nil
	}
	if u := s.unit(t.Context(), false); !strings.Contains(u.Problem, "connect to bus") {
		t.Errorf("%+v", u)
	}
}
