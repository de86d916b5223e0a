package cmd_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A desktop is a user with a screen and a program that opens files in a browser: it copies
// the file, and then does what its line says.
type desktop struct {
	dir    string
	copied string // what the opener got
	named  string // where it was
}

func newDesktop(t *testing.T, then string) desktop {
	t.Helper()
	dir, err := os.MkdirTemp("", "pd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := desktop{dir: dir, copied: filepath.Join(dir, "run", "copy"), named: filepath.Join(dir, "run", "name")}
	script := "#!/bin/sh\ncp \"$1\" " + d.copied + ".part\nprintf %s \"$1\" >" + d.named + "\nmv " + d.copied + ".part " + d.copied + "\n" + then + "\n"
	err = errors.Join(
		os.Chmod(dir, 0o755),
		os.Mkdir(filepath.Join(dir, "run"), 0o700), os.Chown(filepath.Join(dir, "run"), readerUID, readerUID),
		writeProgram(filepath.Join(dir, "xdg-open"), script),
	)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// login makes the command one of the desktop's user.
func (d desktop) login(cmd *exec.Cmd) {
	alone(readerUID).become(cmd)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + d.dir + ":/usr/bin:/bin", "HOME=" + d.dir, "XDG_RUNTIME_DIR=" + filepath.Join(d.dir, "run"), "DISPLAY=:0"}
}

var redirection = regexp.MustCompile(`content="0; url=([^"]+)"`)

// visit opens the file as a browser does, and returns the address of the overview.
func (d desktop) visit(t *testing.T) (overview string) {
	t.Helper()
	text := waitForFile(t, d.copied)
	first := redirection.FindStringSubmatch(text)
	if first == nil {
		t.Fatalf("no redirection in %s", text)
	}
	resp, err := http.Get(first[1])
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, _ := io.ReadAll(resp.Body)
	second := redirection.FindSubmatch(page)
	if resp.StatusCode != 200 || second == nil {
		t.Fatalf("%s: %s %s", first[1], resp.Status, page)
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(first[1], "http://"), "/")
	return "http://" + host + string(second[1])
}

func waitForFile(t *testing.T, path string) string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		text, err := os.ReadFile(path)
		if err == nil {
			return string(text)
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		<-time.After(2 * time.Millisecond)
	}
}

func waitForNoFile(t *testing.T, path string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there", path)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// A browser that comes is enough: nothing is printed, the address is in no list of
// processes, and the file is removed.
func TestDashboard_OpensTheBrowser(t *testing.T) {
	needRoot(t)
	t.Parallel()
	d := newDesktop(t, "exec sleep 60")
	s := show(t, "/nowhere/s", d.login)
	overview := d.visit(t)
	file := waitForFile(t, d.named)
	if filepath.Dir(filepath.Dir(file)) != filepath.Join(d.dir, "run") {
		t.Errorf("the file was %s", file)
	}
	waitForNoFile(t, filepath.Dir(file))
	secret := strings.Split(overview, "/")[3]
	for _, process := range processes(t) {
		if strings.Contains(process, secret) {
			t.Errorf("the address is in a command line: %q", process)
		}
	}
	resp, err := http.Get(overview)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode == 404 || resp.StatusCode == 403 {
		t.Errorf("%s: %s", overview, resp.Status)
	}
	s.cmd.Process.Signal(os.Interrupt)
	s.ends(0, overview)
}

// processes are the command lines of all processes.
func processes(t *testing.T) (lines []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if line, err := os.ReadFile(file); err == nil {
			lines = append(lines, string(line))
		}
	}
	return lines
}

// If no browser comes, or none can be started, the address is printed. A slow one may come
// later.
func TestDashboard_NoBrowserComes(t *testing.T) {
	needRoot(t)
	t.Parallel()
	for name, tc := range map[string]struct {
		then, says string
		prepare    func(*exec.Cmd)
	}{
		"Slow":   {"exec sleep 60", "no browser has come yet", nil},
		"Fails":  {"exit 4", "xdg-open: exit status 4", nil},
		"Screen": {"", "no screen", func(cmd *exec.Cmd) { cmd.Env = cmd.Env[:3] }},
		"Root": {"", "start it as yourself", func(cmd *exec.Cmd) {
			cmd.SysProcAttr.Credential = nil
			cmd.Dir = ""
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesktop(t, tc.then)
			s := show(t, "/nowhere/s", func(cmd *exec.Cmd) {
				d.login(cmd)
				if tc.prepare != nil {
					tc.prepare(cmd)
				}
			})
			address := s.address()
			if name == "Slow" {
				if overview := d.visit(t); overview != address {
					t.Errorf("the file opens %s, printed was %s", overview, address)
				}
			}
			s.cmd.Process.Signal(os.Interrupt)
			s.ends(0, address)
			if !strings.Contains(s.talk.String(), tc.says) || strings.Contains(s.talk.String(), "open this address yourself") == (name == "Root") {
				t.Errorf("it says %q", &s.talk)
			}
			if entries, _ := filepath.Glob(filepath.Join(d.dir, "run", "providerctl-dashboard-*")); len(entries) > 0 {
				t.Errorf("left behind: %v", entries)
			}
		})
	}
}

// The dashboard of one user is closed to another's processes; only root's are let in.
func TestDashboard_AnotherUser(t *testing.T) {
	needRoot(t)
	t.Parallel()
	s := show(t, "/nowhere/s", func(cmd *exec.Cmd) { alone(readerUID).become(cmd); cmd.Dir = "/" }, "--no-open")
	address := s.address()
	for uid, refused := range map[uint32]bool{0: false, readerUID: false, otherUID: true} {
		status := ask[int](t, alone(uid), "fetch", address)
		if (status == http.StatusForbidden) != refused {
			t.Errorf("uid %d gets a status of %d", uid, status)
		}
	}
	s.cmd.Process.Signal(os.Interrupt)
	s.ends(0, address)
}

// playFetch gets the address that is its task, and replies with the status.
func playFetch() {
	resp, err := http.Get(taskOf[string]())
	if err != nil {
		panic(err)
	}
	resp.Body.Close()
	fmt.Print(resp.StatusCode)
}
