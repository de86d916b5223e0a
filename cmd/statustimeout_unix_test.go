//go:build unix

package cmd_test

import (
	"net"
	"os/exec"
	"path/filepath"
	"testing"
)

// status --timeout does not wait for a daemon that may be restarting, and not longer than
// that for one that is stuck.
func TestStatus_Timeout(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "s")
	status := func(args ...string) *exec.Cmd {
		return exec.Command(program("providerctl"), append([]string{"--socket", socket, "status", "-o", "json"}, args...)...)
	}
	exits := func(code int, args ...string) {
		t.Helper()
		cmd := status(args...)
		if out, err := cmd.CombinedOutput(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
			t.Errorf("%v: %v, want exit code %d: %s", args, err, code, out)
		}
	}
	patient := status()
	if err := patient.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = patient.Wait() }()
	for range 3 { // far less than the patience of the other, together
		exits(3, "--timeout", "60s")
	}
	select {
	case <-ended:
		t.Error("it waits for a daemon, as without --timeout")
	default:
	}
	l, err := net.Listen("unix", socket) // accepts, and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	exits(6, "--timeout", "100ms")
	exits(2, "--timeout", "1s", "--watch")
	_ = patient.Process.Kill()
	<-ended
}
