package examine

import (
	"context"
	"errors"
	"os/exec"
	"time"
)

// mostOutput bounds what is kept of a program's output, in bytes.
const mostOutput = 64 << 10

// run runs a program of this machine, without input, for a moment. The code is −1 if it did
// not end by itself.
func run(ctx context.Context, name string, args ...string) (stdout, stderr string, code int, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = patience / 10
	var out, complaints limited
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Start(); err != nil {
		return "", "", -1, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err = <-done:
	case <-time.After(patience + 2*cmd.WaitDelay): // it waits for a disk, and cannot be killed
		return "", "", -1, errNoAnswer
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return "", "", -1, errNoAnswer
	case errors.As(err, &exit) && exit.Exited():
		return out.String(), complaints.String(), exit.ExitCode(), nil
	default:
		return "", "", -1, err
	}
	return out.String(), complaints.String(), 0, nil
}

var errNoAnswer = errors.New("it did not answer in time")

// limited keeps the beginning. It is no bytes.Buffer, which reads on its own.
type limited struct{ kept []byte }

func (l *limited) Write(p []byte) (int, error) {
	l.kept = append(l.kept, p[:min(len(p), mostOutput-len(l.kept))]...)
	return len(p), nil
}

func (l *limited) String() string { return string(l.kept) }
