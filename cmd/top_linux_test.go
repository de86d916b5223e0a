package cmd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// buildTop builds providerctl-top beside providerctl.
func buildTop(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("go", "build", "-o", bin+"/", "./providerctl-top").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// A pane is a terminal of tmux.
type pane struct {
	t    *testing.T
	args []string // tmux and its socket
}

// newPane runs a command on a terminal of that size.
func newPane(t *testing.T, p *process, width, height int, env, command string) *pane {
	t.Helper()
	needs(t, "tmux")
	server := filepath.Join(p.dir, "tmux")
	conf := filepath.Join(p.dir, "tmux.conf")
	if err := os.WriteFile(conf, []byte("set -g remain-on-exit on\nset -g status off\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	k := &pane{t, []string{"tmux", "-S", server, "-f", conf}}
	line := "env -u NO_COLOR -u FORCE_COLOR LC_ALL=C.UTF-8 PATH=" + bin + ":/usr/bin:/bin PROVIDERD_SOCKET=" + p.socket + " PS1='ready> ' " + env + " " + command
	if out, err := k.run("new-session", "-d", "-x", strconv.Itoa(width), "-y", strconv.Itoa(height), line); err != nil {
		t.Skipf("tmux does not start here: %v: %s", err, out)
	}
	t.Cleanup(func() { _, _ = k.run("kill-server") })
	return k
}

func (k *pane) run(args ...string) (string, error) {
	cmd := exec.Command(k.args[0], append(k.args[1:len(k.args):len(k.args)], args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (k *pane) press(keys ...string) {
	k.t.Helper()
	if out, err := k.run(append([]string{"send-keys"}, keys...)...); err != nil {
		k.t.Fatalf("%v: %s", err, out)
	}
}

// await returns what the pane shows once it shows all of these texts.
func (k *pane) await(texts ...string) string {
	k.t.Helper()
	return k.awaitThat(strings.Join(texts, " and "), func(shown string) bool {
		for _, text := range texts {
			if !strings.Contains(shown, text) {
				return false
			}
		}
		return true
	})
}

func (k *pane) awaitThat(what string, fits func(string) bool) string {
	k.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		shown, err := k.run("capture-pane", "-p")
		if err == nil && fits(shown) {
			return shown
		}
		if time.Now().After(deadline) {
			k.t.Fatalf("%q is not shown: %v\n%s", what, err, shown)
		}
	}
}

// In tmux it fits its screen at any width, follows the daemon's changes and restarts, and
// gives the screen back to the shell.
func TestTop_InTmux(t *testing.T) {
	buildTop(t)
	p := newProcess(t, withIDs("alpha", "beta")).start()
	p.until(func() bool { return p.unchecked() == 0 })
	k := newPane(t, p, 80, 24, "TERM=tmux-256color", "bash --norc --noprofile -i")
	k.await("ready>")
	k.press("providerctl-top", "Enter")
	k.await("stopped (2)", "> alpha", "LATENCY", "? help")
	for width, want := range map[string]string{"40": "> alpha  STOPPED", "200": "DETAIL", "80": "LATENCY"} {
		if out, err := k.run("resize-window", "-x", width, "-y", "24"); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		columns, _ := strconv.Atoi(width)
		k.awaitThat(want+" at "+width, func(shown string) bool {
			for line := range strings.Lines(shown) {
				if len([]rune(strings.TrimRight(line, " \n"))) > columns {
					return false
				}
			}
			return strings.Contains(shown, want) && strings.Contains(shown, "? help") && strings.Contains(shown, "beta")
		})
	}

	p.kill()
	k.await("the daemon has been away since", "stopped (2), stale")
	p.start()
	k.awaitThat("the next daemon", func(shown string) bool {
		return !strings.Contains(shown, "stale") && strings.Contains(shown, "the daemon is back")
	})

	k.press("C-z")
	k.await("Stopped", "ready>")
	k.press("fg", "Enter")
	k.await("> alpha", "? help")
	k.press("j") // the first key after fg is not lost
	k.await("> beta")
	k.press("p")
	k.await("beta is paused", "paused (1)")
	k.press("p")
	k.await("beta is probed again")
	k.press("q")
	k.await("ready>")
	k.press("echo ended with $?", "Enter")
	shown := k.await("ended with 0")
	if strings.Contains(shown, "LATENCY") {
		t.Errorf("the screen is not given back:\n%s", shown)
	}
	k.press("stty -a", "Enter")
	k.await(" icanon", " echo ")
}

// A signal ends it, and the terminal is left as it was.
func TestTop_Signals(t *testing.T) {
	buildTop(t)
	p := newProcess(t, withIDs("alpha")).start()
	k := newPane(t, p, 80, 24, "TERM=tmux-256color", "bash --norc --noprofile -i")
	k.await("ready>")
	for i, signal := range []string{"TERM", "INT", "HUP"} {
		k.press("clear; sh -c 'echo $$ >"+p.dir+"/pid; exec providerctl-top'; echo ended with $? by "+signal, "Enter")
		k.await("> alpha", "? help")
		pid, err := os.ReadFile(filepath.Join(p.dir, "pid"))
		if err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("kill", "-"+signal, strings.TrimSpace(string(pid))).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		k.await("ended with 0 by " + signal)
		if i == 2 {
			k.press("stty -a", "Enter")
			k.await(" icanon", " echo ")
		}
	}
}

// Where there is no screen to fill, it says so, and what to use instead.
func TestTop_WithoutAScreen(t *testing.T) {
	buildTop(t)
	p := newProcess(t, withIDs("alpha")).start()
	top := exec.Command(program("providerctl-top"), "--socket", p.socket)
	out, _ := top.CombinedOutput()
	if code := top.ProcessState.ExitCode(); code != provider.ExitUsage || !strings.Contains(string(out), "hint: use: providerctl --socket "+p.socket+" status --watch") {
		t.Errorf("exit code %d, %s", code, out)
	}
	k := newPane(t, p, 80, 24, "TERM=dumb", "sh -c 'providerctl-top; echo ended with $?; exec cat'")
	k.await("cannot move its cursor", "hint: use: providerctl status --watch", "ended with 2")
}

// With 1,000 providers a second of it, while nothing happens, costs less than two runs of
// providerctl status, which reads and lays out all of them once. Both are the time that the
// kernel counts for a process, on the same machine, so that another load changes both.
func TestTop_ThousandProviders(t *testing.T) {
	if testing.Short() {
		t.Skip("takes several seconds")
	}
	const (
		many  = 1000
		watch = 5 * time.Second
	)
	buildTop(t)
	var config strings.Builder
	for i := range many {
		fmt.Fprintf(&config, "[[provider]]\nid = \"gpu-%04d\"\nkind = \"tcp\"\nbase_url = \"tcp://127.0.0.1:9\"\ninterval = \"1h\"\n", i)
	}
	p := newProcess(t, config.String())
	p.level = "warn"
	p.start()
	p.until(func() bool { return p.unchecked() == 0 })
	k := newPane(t, p, 120, 40, "TERM=tmux-256color", "sh -c 'echo $$ >"+p.dir+"/pid; exec providerctl-top'")
	k.await("1000 providers", "> gpu-0000")
	pid, err := os.ReadFile(filepath.Join(p.dir, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	before, began := cpuOf(t, strings.TrimSpace(string(pid))), time.Now()
	clock, statuses := "", []time.Duration(nil)
	for time.Since(began) < watch { // it is alive: its clock goes on
		statuses = append(statuses, cpuOfStatus(t, p.socket)) // meanwhile, because the other tests slow down both
		k.awaitThat("the next second", func(shown string) bool { return shown[:8] != clock })
		clock = k.await("providers")[:8]
	}
	took := cpuOf(t, strings.TrimSpace(string(pid))) - before
	second := time.Duration(float64(took) / time.Since(began).Seconds())
	slices.Sort(statuses)
	status := statuses[len(statuses)/2]
	t.Logf("a second takes %s, %.2f of providerctl status, %s resident", second, second.Seconds()/status.Seconds(),
		residentOf(t, strings.TrimSpace(string(pid))))
	if second > 2*status {
		t.Errorf("a second at rest takes %s, and providerctl status only %s", second, status)
	}
	k.press("End")
	k.await("> gpu-0999")
	k.press("/", "gpu-05", "Enter")
	k.await("100 of 1000", "> gpu-0500")
}

// cpuOfStatus is the time that a run of providerctl status computes.
func cpuOfStatus(t *testing.T, socket string) time.Duration {
	t.Helper()
	cmd := exec.Command(program("providerctl"), "--socket", socket, "status")
	if out, err := cmd.Output(); err != nil && !strings.Contains(string(out), "gpu-0999") {
		t.Fatal(err)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// cpuOf is the time that a process was computing.
func cpuOf(t *testing.T, pid string) time.Duration {
	t.Helper()
	var all time.Duration
	tasks, _ := filepath.Glob("/proc/" + pid + "/task/*/schedstat")
	if len(tasks) == 0 {
		t.Skip("the kernel does not count it")
	}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil { // a thread that ended
			continue
		}
		nanoseconds, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		all += time.Duration(nanoseconds)
	}
	return all
}

func residentOf(t *testing.T, pid string) string {
	t.Helper()
	text, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	line, _, _ := strings.Cut(after, "\n")
	return strings.TrimSpace(line)
}
