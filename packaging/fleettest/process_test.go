package fleettest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A process is a child of the test.
type process struct {
	t    testing.TB
	cmd  *exec.Cmd
	said said
	done chan struct{}
}

// said is what a process writes, which can be read meanwhile.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// run1 runs this program in a role.
func run1(t testing.TB, role string, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "FLEETTEST_ROLE="+role, "FLEETTEST_ARGS="+strings.Join(args, "\n"))
	return spawn(t, cmd)
}

// spawn starts a process, which does not outlive the test.
func spawn(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.said, &p.said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(t, cmd.Start())
	go func() {
		_ = cmd.Wait() // its output is what counts
		close(p.done)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s said:\n%s", cmd.Path, tail(p.said.String(), 3000))
		}
	})
	return p
}

func (p *process) signal(sig os.Signal) {
	p.t.Helper()
	must(p.t, p.cmd.Process.Signal(sig))
}

// wait waits for its end, and is its output.
func (p *process) wait() string {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		p.t.Fatal("the process does not end")
	}
	return p.said.String()
}

// kill ends it with SIGKILL.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

// play is what a child process does instead of running tests.
func play(role string) {
	args := strings.Split(os.Getenv("FLEETTEST_ARGS"), "\n")
	var err error
	switch role {
	case "bus":
		err = bePartOfAFleet(args[0], args[1], args[2], args[3], args[4], args[5], args[6])
	case "crowd":
		err = beCrowd()
	default:
		err = fmt.Errorf("no role %q", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fleettest:", err)
		os.Exit(1)
	}
}
