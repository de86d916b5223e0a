package cmd_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The session in the README is what the programs print on a terminal of 80 columns, except
// for times. The test has its own ports, processes and folders of the system's daemon.
func TestReadme_Session(t *testing.T) {
	needRoot(t)
	for _, tool := range []string{"unshare", "ip", "pidof", "bash"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	folder, err := os.MkdirTemp("", "pd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(folder, "ollama")); err != nil {
		t.Fatal(err)
	}
	steps := readmeSession(t)
	env := []string{
		"PATH=" + strings.Join([]string{folder, bin, os.Getenv("PATH")}, ":"), roleVariable + "=ollama", "TERM=xterm", "NO_COLOR=1", "LANG=C.UTF-8",
		"HOME=" + folder,
	}
	keys, screen := startOnTerminal(t, folder, env, []string{
		"unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", sessionScript(steps),
	})
	typist := &typist{t: t, keyboard: keys, screen: screen}
	typist.await("DEGRADED")
	typist.keys("\n")
	typist.await(fmt.Sprintf("=== %d\r\n", len(steps)))
	printed := strings.Split(regexp.MustCompile(`=== \d+\n`).ReplaceAllString(strings.ReplaceAll(screen.String(), "\r\n", "\n"), "\x00"), "\x00")
	for i, step := range steps {
		if diff := cmp.Diff(timeless(step.prints), timeless(printed[i+1])); diff != "" {
			t.Errorf("$ %s (-README.md +printed):\n%s", step.command, diff)
		}
	}
}

// A sessionStep is a command line and what it prints.
type sessionStep struct{ command, prints string }

// readmeSession is the session in the README.
func readmeSession(t *testing.T) (steps []sessionStep) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, session, _ := strings.Cut(string(text), "\n## A session\n")
	session, _, _ = strings.Cut(session, "\n## ")
	for line := range strings.Lines(session) {
		line, code := strings.CutPrefix(line, "    ")
		command, typed := strings.CutPrefix(line, "$ ")
		switch {
		case typed:
			command, _, _ = strings.Cut(command, "  #")
			steps = append(steps, sessionStep{command: strings.TrimSpace(command)})
		case len(steps) > 0 && (code || line == "\n"):
			steps[len(steps)-1].prints += line
		}
	}
	if len(steps) < 5 {
		t.Fatalf("only %d commands", len(steps))
	}
	return steps
}

// sessionScript runs the steps, with a line before each and after the last. It waits where
// a person would see how far a background command has come.
func sessionScript(steps []sessionStep) string {
	const settled = "providerctl wait ollama lmstudio llamacpp openai anthropic --for STOPPED --timeout 60s >>wait\n"
	script := "ip link set lo up\nfor folder in /run /var/lib /etc/providerd; do [ ! -d $folder ] || mount -t tmpfs tmpfs $folder; done\n" // root's daemon is the machine's
	for i, step := range steps {
		script += fmt.Sprintf("echo '=== %d'\n", i)
		background, isBackground := strings.CutSuffix(step.command, "&")
		switch {
		case isBackground:
			script += background + " >>background 2>&1 &\n"
			if i == 0 {
				script += settled
			}
		case strings.Contains(step.command, " --follow"):
			script += step.command + " & providerctl wait ollama --for DEGRADED --timeout 60s >>wait\nread -rs enough\n"
		default:
			script += step.command + "\n"
		}
	}
	return script + fmt.Sprintf("echo '=== %d'\n", len(steps)) + "wait\n"
}

// timeless is a text without the parts that differ each time.
func timeless(text string) string {
	for pattern, is := range map[string]string{`\d\d:\d\d:\d\d`: "00:00:00", `\b\d+s\b`: "1s", `\d+(\.\d)? ms\b`: "1 ms"} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, is)
	}
	return strings.TrimSpace(text)
}

// playOllama answers at Ollama's port like one with a small model.
func playOllama() {
	const tags = `{"models":[{"name":"tiny:latest","model":"tiny:latest","size":1130,"details":{"family":"llama","quantization_level":"Q4_0"}}]}`
	_ = http.ListenAndServe("127.0.0.1:11434", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/tags" {
			answerAsOllama(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(tags))
	}))
}
