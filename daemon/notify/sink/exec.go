package sink

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/child"
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe/spelling"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/trust"
	"github.com/providerd/providerd/store/underway"
)

const (
	tryAgain = 75 // EX_TEMPFAIL of sysexits.h, which sendmail and msmtp return
	// pipeGrace is how long a pipe is read after the program ended: a process that it left
	// behind might hold the pipe open for ever.
	pipeGrace = 250 * time.Millisecond
)

// A program gets notices as JSON on its standard input. No shell interprets the command.
type program struct {
	command []string
	texts   *texts
	secrets *spelling.Secrets // arguments that look like secrets, which it may repeat
	files   *underway.Work
}

func newExec(n *config.Notify, o *Options, t *texts, read bool) (Sink, error) {
	const fix = `command = ["/usr/local/bin/tell-me"]`
	switch {
	case len(n.Command) == 0:
		return nil, &config.SettingError{Setting: "command", Problem: "it is missing", Fix: fix}
	case !filepath.IsAbs(n.Command[0]):
		return nil, &config.SettingError{Setting: "command", Problem: "the program is not an absolute path", Fix: fix}
	case !read:
		return nil, nil
	}
	secrets := (&config.Provider{Command: n.Command}).ArgumentSecrets()
	p := &program{n.Command, t, spelling.New(secrets), o.Files}
	if err := trust.Program(n.Command[0]); err != nil {
		return nil, &config.SettingError{Setting: "command", Problem: err.Error(), Fix: fixOf(err)}
	}
	return p, nil
}

func fixOf(err error) string {
	if of := (*trust.ProgramError)(nil); errors.As(err, &of) {
		return of.Hint()
	}
	return "correct the path"
}

// Deliver runs the program until it ends or ctx does. It inherits nothing from the
// daemon: no variable, which could hold a key, no descriptor, no folder. What is left of its
// process group is killed afterwards.
func (p *program) Deliver(ctx context.Context, n *provider.Notice) error {
	path := p.command[0]
	if err := p.files.Await(ctx, "reading "+path, func() error { return readable(path) }); err != nil {
		if of := (*trust.ProgramError)(nil); errors.As(err, &of) {
			return &RefusedError{scrub(err.Error(), p.secrets)}
		}
		return errors.New(scrub(err.Error(), p.secrets))
	}
	told := *n
	told.Title, told.Body = p.texts.of(n)
	input, err := json.Marshal(&told)
	if err != nil {
		return err
	}
	var out, talk child.Output
	killed := false
	cmd := exec.CommandContext(ctx, path, p.command[1:]...)
	cmd.Env = environment(&told, p.texts.line(n))
	cmd.Dir = string(filepath.Separator)
	cmd.Stdin = bytes.NewReader(append(input, '\n'))
	cmd.Stdout, cmd.Stderr = &out, &talk
	cmd.WaitDelay = pipeGrace
	cmd.Cancel = func() error {
		killed = true
		return child.Kill(cmd.Process)
	}
	child.OwnGroup(cmd)
	if err := cmd.Start(); err != nil {
		return errors.New(scrub("it cannot be started: "+strings.TrimPrefix(err.Error(), "fork/exec "), p.secrets))
	}
	_ = cmd.Wait()              // ProcessState holds the result: a program need not read its input
	_ = child.Kill(cmd.Process) // usually nothing is left of it
	child.Reap(cmd.Process)
	return p.judge(cmd.ProcessState, killed, &out, &talk)
}

// judge returns the error for the program's end.
func (p *program) judge(end *os.ProcessState, killed bool, out, talk *child.Output) error {
	said := talk.FirstLine()
	if said == "" {
		said = out.FirstLine()
	}
	switch {
	case killed:
		return errors.New(scrub("it did not end in time and was killed"+after(said), p.secrets))
	case end.Success(): // whatever it wrote
		return nil
	case out.IsOver() || talk.IsOver():
		return errors.New(child.ErrWordy.Error())
	case end.ExitCode() == tryAgain, !end.Exited(): // killed by a signal: not its own decision
		return errors.New(scrub(end.String()+after(said), p.secrets))
	}
	return &RefusedError{scrub(end.String()+after(said), p.secrets)}
}

func after(said string) string {
	if said == "" {
		return ""
	}
	return ": " + said
}

// readable checks that nobody else can have changed the program, and reads its beginning:
// starting a program blocks a thread, which keeps its processor, until the kernel has read it.
func readable(path string) error {
	if err := trust.Program(path); err != nil {
		return err
	}
	f, err := child.Open(path)
	if err != nil {
		return nil // it may be executable and not readable; starting it will report why
	}
	defer f.Close()
	_, _ = f.Read(make([]byte, 1))
	return nil
}

// environment is what a script needs most, so that it need not read JSON.
func environment(n *provider.Notice, text string) []string {
	env := []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"}
	add := func(name, value string) {
		env = append(env, "PROVIDERD_"+name+"="+strings.ReplaceAll(value, "\x00", ""))
	}
	when := func(t provider.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	add("ID", n.ID)
	add("TYPE", string(n.Type))
	add("PROVIDER", n.Provider)
	add("STATE", string(n.State))
	add("REASON", string(n.Reason))
	add("DETAIL", n.Detail)
	add("HINT", n.Hint)
	add("SINCE", when(n.Since))
	add("UNTIL", when(n.Until))
	add("HOST", n.Host)
	add("TITLE", n.Title)
	add("BODY", n.Body)
	add("TEXT", text)
	add("URGENCY", fmt.Sprint(urgencyOf(n)))
	return env
}
