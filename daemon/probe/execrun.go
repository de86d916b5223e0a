package probe

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

const (
	maxPluginKept = 4 << 10 // bytes of what a plug-in writes that are looked at
	maxPluginRead = 1 << 20 // bytes after which its pipe is closed
	// pluginGrace is how long a pipe is read after the plug-in ended: a process
	// that it left behind may hold it for ever.
	pluginGrace = 250 * time.Millisecond
)

// A pluginRun is a plug-in under way.
type pluginRun struct {
	cmd       *exec.Cmd
	out, talk excerpt
	killed    bool // at the end of its context
}

// runPlugin runs the program to its end, or to that of ctx. It gets nothing of the
// daemon's own: no variable, which could hold a key, no descriptor, no folder.
// What it started and left behind in its process group ends with it. One that the
// kernel does not let die, over a dead NFS, holds the probe: the row turns stale,
// and no second one is started.
func runPlugin(ctx context.Context, r *run, command []string) finding {
	began := r.p.now()
	if err := r.reach(ctx, command[0]); err != nil {
		r.checked(began, askedOfPlugin(command), "", err.Error())
		return r.unlessCut(finding{saw: provider.ProbeFailed, detail: err.Error()})
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	g := &pluginRun{cmd: cmd}
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"}
	cmd.Dir = string(filepath.Separator)
	cmd.Stdout, cmd.Stderr = &g.out, &g.talk
	cmd.WaitDelay = pluginGrace
	cmd.Cancel = func() error {
		g.killed = true
		return killGroup(cmd.Process)
	}
	inOwnGroup(cmd)
	if err := cmd.Start(); err != nil {
		found := r.notStarted(cmd.Path, err)
		r.checked(began, askedOfPlugin(command), "", found.detail)
		return r.unlessCut(found)
	}
	_ = cmd.Wait()             // ProcessState has all that it tells
	_ = killGroup(cmd.Process) // mostly nothing is left of it
	reapGroup(cmd.Process)
	r.latency = r.p.now().Sub(began)
	r.checked(began, askedOfPlugin(command), g.ending(), firstLine(g.talk.kept))
	return r.unlessCut(g.finding(r.p.provider.Timeout))
}

// reach waits until the file of a program can be read. To start a program stops the
// thread that does it, and one that the runtime cannot take away a processor from,
// until the kernel has read the file's beginning: over a dead NFS, two such starts stop
// the whole daemon.
func (r *run) reach(ctx context.Context, path string) error {
	return r.p.files.Await(ctx, "reading "+path, func() error {
		f, err := openProgram(path)
		if err != nil {
			return nil // starting it says why, and what that means
		}
		defer f.Close()
		_, _ = f.Read(make([]byte, 1)) // likewise
		return nil
	})
}

// finding says what the end of the plug-in means. One that does not end is
// unknown, not hung: it is the check that is silent, and what it checks may be well.
func (g *pluginRun) finding(timeout time.Duration) finding {
	line := firstLine(g.out.kept)
	saw, isCode := returnCodes[g.cmd.ProcessState.ExitCode()]
	switch {
	case g.killed:
		return finding{saw: provider.CheckUnknown, detail: fmt.Sprintf("it did not end within %s, and was killed", timeout)}
	case g.out.isOver() || g.talk.isOver():
		return finding{saw: provider.CheckUnknown, detail: errWordy.Error()}
	case !isCode || line == "" && saw != provider.OK:
		return finding{saw: cmp.Or(saw, provider.CheckUnknown), detail: g.ending()}
	}
	return finding{saw: saw, detail: line}
}

// ending is "exit status 2: DISK CRITICAL".
func (g *pluginRun) ending() string {
	return strings.TrimSuffix(g.cmd.ProcessState.String()+": "+firstLine(g.out.kept), ": ")
}

// firstLine is what a plug-in says to people: what follows a | is for graphs.
func firstLine(output []byte) string {
	line, _, _ := bytes.Cut(bytes.TrimSpace(output), []byte("\n"))
	text, _, _ := bytes.Cut(line, []byte("|"))
	return string(bytes.TrimSpace(text))
}

func askedOfPlugin(command []string) string {
	if n := len(command) - 1; n > 0 {
		return fmt.Sprintf("run %s with %d arguments", command[0], n)
	}
	return "run " + command[0]
}

// An excerpt keeps the beginning of what is written to it. A writer that goes on
// and on is stopped: it would keep a processor busy until the deadline.
type excerpt struct {
	kept []byte
	read int
}

var errWordy = fmt.Errorf("it wrote more than %d MiB", maxPluginRead>>20)

func (e *excerpt) Write(b []byte) (int, error) {
	if e.read += len(b); e.isOver() {
		return 0, errWordy
	}
	e.kept = append(e.kept, b[:min(len(b), maxPluginKept-len(e.kept))]...)
	return len(b), nil
}

func (e *excerpt) isOver() bool { return e.read > maxPluginRead }
