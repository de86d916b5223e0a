//go:build unix

package cmd_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// running is providerctl about to run a program with a provider that can be used.
func running(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	const up = `{"providers":[{"id":"a","kind":"ollama","type":"local","state":"RUNNING","reason":"ok","endpoint":"http://127.0.0.1:1",` +
		`"client":{"openai_base_url":"http://127.0.0.1:1/v1","env":"OLLAMA_HOST"}}]}`
	socket := serveReplies(t, []string{up}, make(chan struct{}, 10))
	cmd := exec.Command(program("providerctl"), append([]string{"--socket", socket, "run"}, args...)...)
	cmd.Dir = t.TempDir()
	return cmd
}

// run exits with the program's exit code, and for its own errors like env(1), timeout(1)
// and shells.
func TestRun_ExitCodes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("plain", "exit 5\n", 0o755)
	closed := write("closed", "exit 5\n", 0o644)
	broken := write("broken", "#!/no/such/interpreter\n", 0o755)
	for name, tc := range map[string]struct {
		argv []string
		path string
		code int
		err  string
	}{
		"ItsOwn":             {argv: []string{"sh", "-c", "exit 42"}, code: 42},
		"NoSuchFile":         {argv: []string{dir + "/none"}, code: 127, err: "providerctl: run: " + dir + "/none: no such file or directory\n"},
		"NotInPath":          {argv: []string{"no-such-program-anywhere"}, code: 127, err: "no such file or directory"},
		"EmptyName":          {argv: []string{""}, code: 127, err: "no such file or directory"},
		"NoInterpreter":      {argv: []string{broken}, code: 127, err: "its interpreter does not exist"},
		"MayNotBeRun":        {argv: []string{closed}, code: 126, err: "permission denied"},
		"AFolder":            {argv: []string{dir}, code: 126, err: "permission denied"},
		"BehindAFile":        {argv: []string{closed + "/x"}, code: 126, err: "not a directory"},
		"MayNotBeRunInPath":  {argv: []string{"closed"}, path: dir, code: 126, err: "permission denied"},
		"AScriptOfTheShell":  {argv: []string{"plain"}, path: "/no/such/folder:" + closed + ":" + dir, code: 5},
		"TheWorkingFolder":   {argv: []string{"here"}, path: "/no/such/folder:", code: 6},
		"FlagsAreTheProgram": {argv: []string{"sh", "-c", `test "$1" = --model && exit 3`, "sh", "--model"}, code: 3},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := running(t, append([]string{"--"}, tc.argv...)...)
			if err := writeProgram(filepath.Join(cmd.Dir, "here"), "#!/bin/sh\nexit 6\n"); err != nil {
				t.Fatal(err)
			}
			if tc.path != "" {
				cmd.Env = append(os.Environ(), "PATH="+tc.path)
			}
			var said bytes.Buffer
			cmd.Stderr = &said
			_ = cmd.Run()
			if got := cmd.ProcessState.ExitCode(); got != tc.code || !strings.Contains(said.String(), tc.err) || tc.err == "" && said.Len() > 0 {
				t.Errorf("exit code %d, want %d; stderr %q", got, tc.code, said.String())
			}
		})
	}
}

// The program is the process that was started: it keeps the pid, the signals, the input and
// the output.
func TestRun_IsTheProgram(t *testing.T) {
	cmd := running(t, "--wait", "60s", "--", "sh", "-c", `echo $$ $OPENAI_BASE_URL $OPENAI_API_KEY $OLLAMA_HOST; cat; kill -TERM $$`)
	cmd.Env = append(os.Environ(), "OPENAI_API_KEY=sk-not-for-ollama")
	cmd.Stdin = strings.NewReader("what it is told\n")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	want := strconv.Itoa(cmd.Process.Pid) + " http://127.0.0.1:1/v1 none http://127.0.0.1:1\nwhat it is told\n"
	if out.String() != want || said.Len() > 0 {
		t.Errorf("stdout %q, want %q; stderr %q", out.String(), want, said.String())
	}
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("%v, want the signal", cmd.ProcessState)
	}
}

// The program inherits no file, signal or limit that providerctl itself opened or changed.
func TestRun_HandsOnNothingOfItsOwn(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("there is no /proc")
	}
	const look = `ls -l /proc/self/fd; grep -E '^Sig(Ign|Blk|Cgt)' /proc/self/status; ulimit -n`
	plain := exec.Command("sh", "-c", look)
	ours := running(t, "--wait", "60s", "--", "sh", "-c", look)
	seen := func(cmd *exec.Cmd) (signals []string, files int) {
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, "->") {
				files++
			} else if !strings.HasPrefix(line, "total") {
				signals = append(signals, line)
			}
		}
		return signals, files
	}
	wantSignals, wantFiles := seen(plain)
	gotSignals, gotFiles := seen(ours)
	if strings.Join(gotSignals, "") != strings.Join(wantSignals, "") || gotFiles != wantFiles {
		t.Errorf("%v and %d files, want %v and %d", gotSignals, gotFiles, wantSignals, wantFiles)
	}
}
