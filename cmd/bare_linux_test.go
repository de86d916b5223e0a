package cmd_test

import (
	"bytes"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// Programs in an environment of a few variables, as cron and container runtimes run them.

// inBare runs a program as a user in an environment of nothing but env.
func inBare(u user, env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(program(name), args...)
	cmd.Env = append([]string{}, env...)
	cmd.Dir = "/"
	u.become(cmd)
	return cmd
}

// A job is a command under way and what it says.
type job struct {
	name string
	cmd  *exec.Cmd
	text bytes.Buffer
}

// startJob starts a command.
func startJob(t *testing.T, name string, cmd *exec.Cmd) *job {
	t.Helper()
	j := &job{name: name, cmd: cmd}
	cmd.Stdout, cmd.Stderr = &j.text, &j.text
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return j
}

// end waits for its end and returns its exit code; −1 if it had to be killed, as one that
// waits for a pipe.
func (j *job) end() int {
	hangs := time.AfterFunc(time.Minute, func() { _ = j.cmd.Process.Kill() })
	defer hangs.Stop()
	_ = j.cmd.Wait()
	return j.cmd.ProcessState.ExitCode()
}

// outcome runs a command to its end and returns its exit code and all that it says.
func outcome(t *testing.T, cmd *exec.Cmd) (code int, says string) {
	t.Helper()
	j := startJob(t, "", cmd)
	code = j.end()
	return code, j.text.String()
}

// runDaemon starts a daemon in a bare environment and ends it with the test.
func runDaemon(t *testing.T, u user, env []string, args ...string) (log *lockedBuffer, end func()) {
	t.Helper()
	cmd := inBare(u, env, "providerd", args...)
	log = &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	end = func() {
		if !ended {
			ended = true
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_ = cmd.Wait()
		}
	}
	t.Cleanup(func() {
		end()
		if t.Failed() {
			t.Logf("providerd's log:\n%s", log)
		}
	})
	return log, end
}

// eventually waits for what a daemon does in its own time.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: it never came", what)
		}
		<-time.After(20 * time.Millisecond)
	}
}
