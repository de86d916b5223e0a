package units

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// mostOutput bounds what is kept of a program's output, in bytes.
const mostOutput = 64 << 10

// run runs a program of this machine until it ends or ctx does. Terminal is its standard input;
// nil: it has none.
func run(ctx context.Context, terminal *os.File, name string, args ...string) (stdout, stderr string, code int, err error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // a prompt for a password restores the terminal
	cmd.WaitDelay = time.Second
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "SYSTEMD_COLORS=0")
	if terminal != nil {
		cmd.Stdin = terminal
	}
	var out, complaints limited
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return out.String(), complaints.String(), -1, ctx.Err()
	case errors.As(err, &exit) && exit.Exited():
		return out.String(), complaints.String(), exit.ExitCode(), nil
	}
	return out.String(), complaints.String(), 0, err
}

// limited keeps the beginning.
type limited struct{ kept []byte }

func (l *limited) Write(p []byte) (int, error) {
	l.kept = append(l.kept, p[:min(len(p), mostOutput-len(l.kept))]...)
	return len(p), nil
}

func (l *limited) String() string { return string(l.kept) }
