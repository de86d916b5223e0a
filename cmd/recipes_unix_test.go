//go:build unix

package cmd_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// recipes are the code blocks of docs/scripting.md by the heading above each.
func recipes(t *testing.T) map[string]string {
	page, err := os.ReadFile("../docs/scripting.md")
	if err != nil {
		t.Fatal(err)
	}
	found, heading, inside := map[string]string{}, "", false
	for line := range strings.Lines(string(page)) {
		switch title, is := strings.CutPrefix(line, "## "); {
		case strings.HasPrefix(line, "```"):
			if inside = !inside; inside && found[heading] != "" {
				t.Fatalf("a second code block below %q", heading)
			}
		case inside:
			found[heading] += line
		case is:
			heading = strings.TrimSpace(title)
		}
	}
	return found
}

// Every recipe of docs/scripting.md does what its heading says.
func TestRecipes(t *testing.T) {
	all := recipes(t)
	tests := map[string]func(*testing.T, string){
		"Wait for Ollama in a boot script":                testBoot,
		"Take the local one if it is up, else the cloud":  testLocalElseCloud,
		"Ask the fastest that has a model":                testFastest,
		"Back off together after a 429":                   testBackOff,
		"Show it in the status line of tmux":              testTmux,
		"Start a systemd unit when its provider is there": testUnit,
		"Fail a CI step early, and say why":               testStep,
		"Feed the status bar of an editor":                testEditor,
		"Restart a server that hangs":                     testRestart,
		"Do without providerctl":                          testPython,
	}
	for heading, recipe := range all {
		test := tests[heading]
		if test == nil {
			t.Errorf("no test for the recipe %q", heading)
			continue
		}
		t.Run(strings.ReplaceAll(heading, " ", ""), func(t *testing.T) {
			t.Parallel()
			test(t, recipe)
		})
	}
	if len(all) != len(tests) {
		t.Errorf("%d recipes, %d tests", len(all), len(tests))
	}
}

func testBoot(t *testing.T, recipe string) {
	k := newRecipeDaemon(t)
	k.hang()
	started := time.AfterFunc(time.Second, func() { k.local.hung.Store(false) })
	defer started.Stop()
	if out, _, code := k.sh(recipe); code != 0 || !strings.HasSuffix(out, "agent  at  with test-key-of-openai\n") {
		t.Errorf("it starts: %d %q", code, out)
	}
	k.local.rejects.Store(true)
	k.configure("60s")
	k.ctl("reload")
	k.ctl("refresh", "--wait")
	if out, _, _ := k.sh(recipe); !strings.HasPrefix(out, "agent --offline") {
		t.Errorf("waiting is in vain: %q", out)
	}
}

func testLocalElseCloud(t *testing.T, recipe string) {
	k := newRecipeDaemon(t)
	if out, _, code := k.sh(recipe); code != 0 || out != "agent  at "+k.local.URL+"/v1 with none\n" {
		t.Errorf("both are up: %d %q", code, out)
	}
	k.local.Close()
	k.ctl("wait", "ollama", "--for", "STOPPED", "--timeout", "60s")
	if out, _, code := k.sh(recipe); code != 0 || out != "agent  at "+k.cloud.URL+"/v1 with test-key-of-openai\n" {
		t.Errorf("the local one is down: %d %q", code, out)
	}
	k.ctl("report", "openai", "--status", "429", "--retry-after", "60")
	if out, talk, code := k.sh(recipe); code != 1 || out != "" || !strings.Contains(talk, "ollama: STOPPED (connection_refused)") ||
		!strings.Contains(talk, "openai: DEGRADED (rate_limited)") {
		t.Errorf("there is none: %d %q %q", code, out, talk)
	}
}

func testFastest(t *testing.T, recipe string) {
	needs(t, "jq", "curl")
	k := newRecipeDaemon(t)
	if out, _, code := k.sh(recipe); code != 0 || !strings.HasPrefix(out, "hello from 127.0.0.1:") {
		t.Errorf("%d %q", code, out)
	}
	if out, talk, code := k.sh(strings.Replace(recipe, "qwen3:8b", "no-such", 1)); code != 1 || out != "" || !strings.Contains(talk, "it does not list no-such") {
		t.Errorf("%d %q %q", code, out, talk)
	}
}

func testBackOff(t *testing.T, recipe string) {
	needs(t, "curl")
	if out, err := exec.Command("curl", "--version").Output(); err != nil || !strings.Contains(string(out), "curl ") || oldCurl(string(out)) {
		t.Skip("curl is older than 7.84")
	}
	k := newRecipeDaemon(t)
	k.file("prompt.json", `{}`)
	k.local.limited.Store(true)
	began := time.Now()
	out, talk, code := k.sh(recipe)
	if code != 0 || !strings.Contains(out, "hello from "+strings.TrimPrefix(k.cloud.URL, "http://")) {
		t.Errorf("%d %q", code, out)
	}
	if !strings.Contains(talk, "ollama is DEGRADED (rate_limited), left alone until ") {
		t.Errorf("it was not reported: %q", talk)
	}
	var row provider.Status
	k.do("GET", "/api/providers/ollama", &row)
	// It is a minute from the report, which was made meanwhile.
	if reported := row.RetryAt.Add(-time.Minute); row.Source != provider.FromReport || reported.Before(began.Truncate(time.Millisecond)) || reported.After(time.Now()) {
		t.Errorf("source %s, retry at %s, asked at %s", row.Source, row.RetryAt, began)
	}
	if out := k.ctl("pick"); out != "openai\n" { // everybody hears of it
		t.Errorf("another is sent to %q", out)
	}
	k.cloud.hung.Store(true)
	if _, talk, code := k.sh(strings.Replace(recipe, "-m 60", "-m 1", 1)); code != 1 || !strings.Contains(talk, "hung") {
		t.Errorf("nobody answers: %d %q", code, talk)
	}
}

// oldCurl reports whether curl cannot print a header.
func oldCurl(version string) bool {
	var major, minor int
	_, err := fmt.Sscanf(version, "curl %d.%d", &major, &minor)
	return err != nil || major < 7 || major == 7 && minor < 84
}

// The screen on which tmux shows its status line is a pane of another tmux.
func testTmux(t *testing.T, recipe string) {
	needs(t, "tmux")
	k := newRecipeDaemon(t)
	tmux := func(server string, args ...string) []string {
		return append([]string{"tmux", "-S", filepath.Join(k.dir, server), "-f", filepath.Join(k.dir, "tmux.conf")}, args...)
	}
	k.file("tmux.conf", recipe)
	for _, args := range [][]string{
		tmux("inner", "new-session", "-d", "sleep 600"),
		tmux("screen", "new-session", "-d", "-x", "100", "-y", "10", "env -u TMUX "+strings.Join(tmux("inner", "attach"), " ")),
	} {
		if _, talk, code := k.run(args...); code != 0 {
			t.Skip("tmux does not start here: " + talk)
		}
		t.Cleanup(func() { _ = exec.Command(args[0], args[1], args[2], "kill-server").Run() })
	}
	shows := func(want string) func() bool {
		return func() bool {
			out, err := k.command(tmux("screen", "capture-pane", "-p")...).Output()
			return err == nil && strings.HasSuffix(strings.TrimSpace(string(out)), want)
		}
	}
	k.until(shows(" ollama"))
	k.ctl("pause", "ollama")
	k.ctl("pause", "openai")
	k.until(shows(" no model"))
}

func testUnit(t *testing.T, recipe string) {
	k := newRecipeDaemon(t)
	runtime := filepath.Join(k.dir, "t")
	if err := os.MkdirAll(filepath.Join(runtime, "agent"), 0o700); err != nil { // RuntimeDirectory=
		t.Fatal(err)
	}
	recipe = strings.NewReplacer("/usr/bin/providerctl", program("providerctl"),
		"/usr/local/bin/agent", filepath.Join(k.dir, "agent")).Replace(recipe)
	if _, err := exec.LookPath("systemd-analyze"); err == nil {
		_, talk, code := k.run("systemd-analyze", "verify", "--man=no", k.file("recipe.service", recipe))
		if code != 0 || strings.Contains(talk, "recipe.service") {
			t.Errorf("systemd does not understand it: %d %q", code, talk)
		}
	}
	commands := regexp.MustCompile(`(?m)^ExecStartPre=(.*)$`).FindAllStringSubmatch(strings.ReplaceAll(recipe, "%t", runtime), -1)
	if len(commands) != 2 {
		t.Fatalf("%d commands before the start", len(commands))
	}
	for _, m := range commands {
		if _, talk, code := k.run("sh", "-c", m[1]); code != 0 {
			t.Errorf("%s: %d %q", m[1], code, talk)
		}
	}
	env, err := os.ReadFile(filepath.Join(runtime, "agent", "provider"))
	if err != nil || !strings.Contains(string(env), "\nOPENAI_BASE_URL="+k.local.URL+"/v1\n") {
		t.Errorf("%v %q", err, env)
	}
	k.local.rejects.Store(true)
	k.ctl("refresh", "--wait")
	if _, _, code := k.run("sh", "-c", commands[0][1]); code != 1 {
		t.Errorf("it starts without its provider: %d", code)
	}
}

func testStep(t *testing.T, recipe string) {
	k := newRecipeDaemon(t)
	k.tool("make", `echo "made $*"`)
	if out, _, code := k.sh(recipe); code != 0 || !strings.HasSuffix(out, "made test\n") {
		t.Errorf("%d %q", code, out)
	}
	k.cloud.rejects.Store(true) // what only a person ends
	k.ctl("refresh", "--wait")
	out, talk, code := k.sh(recipe)
	if code != 1 || strings.Contains(out, "made") || !strings.Contains(talk, "lasts until somebody acts") {
		t.Errorf("%d %q %q", code, out, talk)
	}
	summary, err := os.ReadFile(filepath.Join(k.dir, "summary.md"))
	if err != nil || !strings.Contains(string(summary), "## `openai`") || strings.Contains(string(summary), "test-key") {
		t.Errorf("%v %s", err, summary)
	}
}

func testEditor(t *testing.T, recipe string) {
	needs(t, "jq")
	k := newRecipeDaemon(t)
	cmd := k.command("sh", k.file("recipe.sh", recipe))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	}()
	lines := bufio.NewScanner(pipe)
	next := func(want string) {
		t.Helper()
		if !lines.Scan() || lines.Text() != want {
			t.Errorf("line %q, want %q", lines.Text(), want)
		}
	}
	next("ollama RUNNING")
	k.cloud.Close() // another's change is not shown
	k.ctl("wait", "openai", "--for", "STOPPED", "--timeout", "60s")
	k.local.Close()
	k.ctl("refresh", "ollama")
	next("ollama STOPPED")
}

func testRestart(t *testing.T, recipe string) {
	needs(t, "jq", "curl")
	k := newRecipeDaemon(t)
	k.tool("systemctl", `echo "systemctl $*"; curl -s `+k.local.URL+`/restart`)
	if out, _, code := k.sh(recipe); code != 0 || out != "" {
		t.Errorf("it does not hang: %d %q", code, out)
	}
	k.hang()
	if out, _, code := k.sh(recipe); code != 0 || !strings.HasPrefix(out, "systemctl restart ollama\nollama is RUNNING") {
		t.Errorf("it hangs: %d %q", code, out)
	}
}

func testPython(t *testing.T, recipe string) {
	needs(t, "python3")
	k := newRecipeDaemon(t)
	k.local.Close()
	k.ctl("wait", "ollama", "--for", "STOPPED", "--timeout", "60s")
	out, _, code := k.run("python3", k.file("recipe.py", recipe))
	if lines := strings.Split(out, "\n"); code != 0 || !slices.Contains(lines, "ollama STOPPED start it: ollama serve") || !slices.Contains(lines, "openai RUNNING ") {
		t.Errorf("%d %q", code, out)
	}
}
