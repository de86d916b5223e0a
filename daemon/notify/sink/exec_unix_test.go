//go:build !windows

package sink

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// script is a program in a folder that only this user can write.
func script(t *testing.T, text string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tell") // the folder of t.TempDir may be writable by a group
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "tell-me")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func execSink(t *testing.T, text string, args ...string) (Sink, string) {
	t.Helper()
	path := script(t, text)
	return make1(t, config.Notify{Kind: "exec", Command: append([]string{path}, args...)}, options()), filepath.Dir(path)
}

// The program gets the notice as JSON, its parts as variables, and nothing of the daemon's.
func TestExec(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "sk-not-for-programs")
	s, dir := execSink(t, `cd "${0%/*}" && cat > in && env > env && pwd && printf '%s\n' "$@" > args`, "a b", "$(id)", "*")
	n := ollamaDown()
	n.Detail = "refused; `id` $HOME 'quoted'"
	if err := deliver(t, s, n); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var got provider.Notice
	if err := json.Unmarshal([]byte(read("in")), &got); err != nil || got.ID != "msg_1" || got.Title != "ollama is down" || got.Reason != "connection_refused" {
		t.Errorf("%v %+v", err, got)
	}
	if read("args") != "a b\n$(id)\n*\n" {
		t.Errorf("arguments %q", read("args"))
	}
	env := read("env")
	for _, want := range []string{
		"PROVIDERD_ID=msg_1", "PROVIDERD_TYPE=opened", "PROVIDERD_PROVIDER=ollama", "PROVIDERD_STATE=STOPPED",
		"PROVIDERD_REASON=connection_refused", "PROVIDERD_DETAIL=" + n.Detail, "PROVIDERD_HINT=start it: ollama serve",
		"PROVIDERD_SINCE=2026-01-02T12:00:00Z", "PROVIDERD_UNTIL=", "PROVIDERD_HOST=gpu1", "PROVIDERD_TITLE=ollama is down",
		"PROVIDERD_TEXT=ollama is down: " + n.Detail + " (start it: ollama serve)", "PROVIDERD_URGENCY=normal", "LANG=C.UTF-8",
	} {
		if !strings.Contains("\n"+env, "\n"+want+"\n") {
			t.Errorf("no %s in\n%s", want, env)
		}
	}
	for line := range strings.Lines(env) {
		if name, _, _ := strings.Cut(line, "="); !strings.HasPrefix(name, "PROVIDERD_") && name != "PATH" && name != "LANG" && name != "PWD" && name != "OLDPWD" && name != "SHLVL" && name != "_" {
			t.Errorf("the program got %s", line)
		}
	}
}

// The exit code says what becomes of the message.
func TestExec_Ends(t *testing.T) {
	for _, tt := range []struct {
		text, want string
		refused    bool
	}{
		{"exit 0", "", false},
		{"exec <&-; exit 0", "", false}, // it does not read
		{"echo no modem; exit 75", "exit status 75: no modem", false},
		{"echo; echo ignored; echo ' bad number' >&2; echo more >&2; exit 1", "exit status 1: bad number", true},
		{"exit 2", "exit status 2", true},
		{"kill -KILL $$", "signal: killed", false},
		{"kill -TERM $$", "signal: terminated", false},
		{`printf '\033[31mred\302\233\n' >&2; exit 1`, "exit status 1: [31mred", true},
		{"cat /dev/zero >&2; exit 1", "it wrote more than 1 MiB", false},
		{"cat /dev/zero 2>&-; exit 0", "", false},
		{`echo "cannot log in with $2" >&2; exit 1`, "exit status 1: cannot log in with ***", true},
	} {
		s, _ := execSink(t, tt.text, "--password", "hunter2hunter2")
		err := deliver(t, s, ollamaDown())
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tt.want || isRefused(err) != tt.refused {
			t.Errorf("%s: %q (refused: %t), want %q", tt.text, got, isRefused(err), tt.want)
		}
	}
}

// At the end of the delivery's time the program's whole group is killed, though it ignores
// SIGTERM and its child holds the pipes open.
func TestExec_IsKilledAsAGroup(t *testing.T) {
	s, dir := execSink(t, `trap '' TERM HUP INT
(exec sleep 1000) &
echo $! > "${0%/*}/child"
echo $$ > "${0%/*}/self"
while :; do sleep 1000; done`)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Deliver(ctx, ollamaDown()) }()
	pids := []int{pidIn(t, filepath.Join(dir, "child")), pidIn(t, filepath.Join(dir, "self"))}
	cancel()
	if err := <-done; err == nil || isRefused(err) || !strings.Contains(err.Error(), "killed") {
		t.Error(err)
	}
	for _, pid := range pids {
		gone(t, pid)
	}
}

// A program that forks and ends has delivered; what it leaves behind is killed.
func TestExec_LeavesNothingBehind(t *testing.T) {
	s, dir := execSink(t, `sleep 1000 & echo $! > "${0%/*}/child"; exit 0`)
	if err := deliver(t, s, ollamaDown()); err != nil {
		t.Error(err)
	}
	gone(t, pidIn(t, filepath.Join(dir, "child")))
}

func pidIn(t *testing.T, path string) int {
	t.Helper()
	for range 1000 {
		text, _ := os.ReadFile(path)
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && strings.HasSuffix(string(text), "\n") {
			return pid
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("nothing is in %s", path)
	return 0
}

// gone waits until a process has ended; init may not have waited for it yet.
func gone(t *testing.T, pid int) {
	t.Helper()
	for range 1000 {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || isZombie(pid) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d is still there", pid)
}

func isZombie(pid int) bool {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, rest, _ := strings.Cut(string(text), ") ")
	return strings.HasPrefix(rest, "Z")
}

// The hint is about the program of the notification, also if its folder is like /tmp.
func TestExec_Hints(t *testing.T) {
	path := script(t, "exit 0")
	for mode, want := range map[os.FileMode]string{0o757: "chmod o-w", 0o777 | os.ModeSticky: "move it into a folder"} {
		if err := os.Chmod(filepath.Dir(path), mode); err != nil {
			t.Fatal(err)
		}
		_, err := New(config.Notify{Kind: "exec", Command: []string{path}}, options())
		if wrong := (*config.SettingError)(nil); !errors.As(err, &wrong) || !strings.Contains(wrong.Fix, want) {
			t.Errorf("%s: %#v", mode, err)
		}
	}
	if err := os.Chmod(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := New(config.Notify{Kind: "exec", Command: []string{path}}, options())
	if wrong := (*config.SettingError)(nil); !errors.As(err, &wrong) || !strings.Contains(wrong.Problem, "not executable") || !strings.Contains(wrong.Fix, "chmod +x") {
		t.Errorf("%#v", err)
	}
}

// A program that somebody else could have replaced is not run: neither at first nor later.
func TestExec_NotWhatOthersCanWrite(t *testing.T) {
	s, dir := execSink(t, "exit 0")
	path := filepath.Join(dir, "tell-me")
	for _, part := range []string{path, dir} {
		if err := os.Chmod(part, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := deliver(t, s, ollamaDown()); !isRefused(err) || !strings.Contains(err.Error(), "written by everybody") {
			t.Errorf("%s: %v", part, err)
		}
		_, err := New(config.Notify{Kind: "exec", Command: []string{path}}, options())
		if wrong := (*config.SettingError)(nil); !errors.As(err, &wrong) || wrong.Setting != "command" || !strings.Contains(wrong.Fix, "chmod") && part == path {
			t.Errorf("%s: %v", part, err)
		}
		if err := os.Chmod(part, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := deliver(t, s, ollamaDown()); err != nil {
		t.Error(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := deliver(t, s, ollamaDown()); err == nil || isRefused(err) {
		t.Error(err) // it may be installed again
	}
}
