package probe

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/child"
	"github.com/providerd/providerd/store/provider"
)

// pluginGrace is how long a pipe is read after the plug-in ended: a process that it
// left behind might hold the pipe open for ever.
const pluginGrace = 250 * time.Millisecond

// A pluginRun is a running plug-in.
type pluginRun struct {
	cmd       *exec.Cmd
	out, talk child.Output
	killed    bool // at the end of its context
}

// runPlugin runs the program until it ends, or until ctx ends. The program gets nothing of
// the daemon's: no variable, which could hold a key, no descriptor, no folder. What is left
// of its process group is killed with it. A program that the kernel cannot kill, because of
// a dead NFS, blocks the probe: the row turns stale, and no second one is started.
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
		return child.Kill(cmd.Process)
	}
	child.OwnGroup(cmd)
	if err := cmd.Start(); err != nil {
		found := r.notStarted(cmd.Path, err)
		r.checked(began, askedOfPlugin(command), "", found.detail)
		return r.unlessCut(found)
	}
	_ = cmd.Wait()              // ProcessState holds the result
	_ = child.Kill(cmd.Process) // usually nothing is left of it
	child.Reap(cmd.Process)
	r.latency = r.p.now().Sub(began)
	r.checked(began, askedOfPlugin(command), g.ending(), firstLine(&g.talk))
	return r.unlessCut(g.finding(r.p.provider.Timeout))
}

// reach waits until the program's file can be read. Starting a program blocks a thread,
// which keeps its processor, until the kernel has read the beginning of the file: with a
// dead NFS, two such starts would stop the whole daemon.
func (r *run) reach(ctx context.Context, path string) error {
	return r.p.files.Await(ctx, "reading "+path, func() error {
		f, err := child.Open(path)
		if err != nil {
			return nil // starting it will report why
		}
		defer f.Close()
		_, _ = f.Read(make([]byte, 1)) // likewise
		return nil
	})
}

// finding decides what the end of the plug-in means. One that does not end is unknown, not
// hung: the check is silent, but what it checks may work.
func (g *pluginRun) finding(timeout time.Duration) finding {
	line := firstLine(&g.out)
	saw, isCode := returnCodes[g.cmd.ProcessState.ExitCode()]
	switch {
	case g.killed:
		return finding{saw: provider.CheckUnknown, detail: fmt.Sprintf("it did not end within %s, and was killed", timeout)}
	case g.out.IsOver() || g.talk.IsOver():
		return finding{saw: provider.CheckUnknown, detail: child.ErrWordy.Error()}
	case !isCode || line == "" && saw != provider.OK:
		return finding{saw: cmp.Or(saw, provider.CheckUnknown), detail: g.ending()}
	}
	return finding{saw: saw, detail: line}
}

// ending is "exit status 2: DISK CRITICAL".
func (g *pluginRun) ending() string {
	return strings.TrimSuffix(g.cmd.ProcessState.String()+": "+firstLine(&g.out), ": ")
}

// firstLine is what a plug-in says to people. What follows a | is for graphs.
func firstLine(output *child.Output) string {
	text, _, _ := strings.Cut(output.FirstLine(), "|")
	return strings.TrimSpace(text)
}

func askedOfPlugin(command []string) string {
	if n := len(command) - 1; n > 0 {
		return fmt.Sprintf("run %s with %d arguments", command[0], n)
	}
	return "run " + command[0]
}
