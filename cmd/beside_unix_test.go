//go:build unix

package cmd_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// installed copies providerctl to dir/bin and writes programs, which are scripts, by their
// paths below dir.
func installed(t *testing.T, programs map[string]string) (dir string) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(program("providerctl"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"bin/providerctl": string(text)}
	for path, script := range programs {
		all[path] = script
	}
	for path, text := range all {
		path = filepath.Join(dir, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), writeProgram(path, text)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The program in docs/extending.md does what the page says.
func TestBeside_TheExample(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/extending.md")
	if err != nil {
		t.Fatal(err)
	}
	_, script, _ := strings.Cut(string(page), "```sh\n")
	script, _, found := strings.Cut(script, "```\n")
	if lines := strings.Count(script, "\n"); !found || lines > 5 {
		t.Fatalf("the page has no example of at most five lines, but %d", lines)
	}
	models := newModelServer(t)
	p := newProcess(t, withIDs("down")+"[[provider]]\nid = \"up\"\nkind = \"ollama\"\nbase_url = \""+models.URL+"\"\n").start()
	ctl := filepath.Join(installed(t, map[string]string{"bin/providerctl-usable": script}), "bin", "providerctl")
	if out, err := exec.Command(ctl, "--socket", p.socket, "wait", "up", "--timeout", "60s").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, args := range [][]string{
		{"--socket", p.socket, "usable"},
		{"--socket=" + p.socket, "--color", "never", "usable", "--kind", "ollama"},
	} {
		out, err := exec.Command(ctl, args...).CombinedOutput()
		if err != nil || string(out) != "up\n" {
			t.Errorf("%q: %v, %q", args, err, out)
		}
	}
	cmd := exec.Command(ctl, "usable", "--nosuch")
	cmd.Env = append(os.Environ(), "PROVIDERD_SOCKET="+p.socket)
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "status: no such flag: --nosuch") {
		t.Errorf("its errors are providerctl's: %v, %q", err, out)
	}
}

// A program takes the place of providerctl: its process, its signals and its exit code.
func TestBeside_ReplacesProviderctl(t *testing.T) {
	t.Parallel()
	dir := installed(t, map[string]string{
		"libexec/providerd/providerctl-told": "#!/bin/sh\ntrap 'echo interrupted; exit 33' INT\necho $$\nread line\necho \"read $line\"\nread line\n",
	})
	cmd := exec.Command(filepath.Join(dir, "bin", "providerctl"), "told")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(in, "a line\n"); err != nil {
		t.Fatal(err)
	}
	want := strconv.Itoa(cmd.Process.Pid) + "\nread a line\n"
	for deadline := time.Now().Add(time.Minute); out.String() != want; <-time.After(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("got %q, want %q", out.String(), want)
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	in.Close() // some shells finish reading before the trap
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 33 || out.String() != want+"interrupted\n" {
		t.Errorf("%v, %q", err, out.String())
	}
}

// The system says of a program without its interpreter that the program does not exist.
func TestBeside_NamesAMissingInterpreter(t *testing.T) {
	t.Parallel()
	dir := installed(t, map[string]string{"bin/providerctl-odd": "#!/nowhere/interpreter\n"})
	cmd := exec.Command(filepath.Join(dir, "bin", "providerctl"), "odd")
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 127 || !strings.Contains(string(out), "providerctl-odd: its interpreter does not exist") {
		t.Errorf("exit code %d: %s", code, out)
	}
}

// Another user's program is run by nobody else, and a folder that others can write makes
// it unsafe for root too.
func TestBeside_NotWhereOthersCanWrite(t *testing.T) {
	t.Parallel()
	dir := installed(t, map[string]string{"bin/providerctl-hello": "#!/bin/sh\necho hello\n"})
	run := func() (string, int) {
		cmd := exec.Command(filepath.Join(dir, "bin", "providerctl"), "hello")
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	if out, code := run(); code != 0 || out != "hello\n" {
		t.Fatalf("%d %q", code, out)
	}
	if err := os.Chmod(filepath.Join(dir, "bin"), 0o777); err != nil {
		t.Fatal(err)
	}
	out, code := run()
	repair, found := strings.CutPrefix(out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:], "providerctl: hint: ")
	if code != 4 || !found || !strings.Contains(out, dir+"/bin can be written by everybody") {
		t.Fatalf("%d %q", code, out)
	}
	if out, err := exec.Command("sh", "-c", repair).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v %s", repair, err, out)
	}
	if out, code := run(); code != 0 || out != "hello\n" {
		t.Errorf("after %q: %d %q", repair, code, out)
	}
	if os.Geteuid() != 0 {
		return
	}
	if err := os.Chown(filepath.Join(dir, "bin", "providerctl-hello"), 1234, 1234); err != nil {
		t.Fatal(err)
	}
	if out, code := run(); code != 4 || !strings.Contains(out, "belongs to uid 1234") {
		t.Errorf("%d %q", code, out)
	}
}
