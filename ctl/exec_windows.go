package ctl

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
)

// Exec runs a program and waits until it ends, because Windows cannot replace a process.
// Ctrl-C and ctrl-break reach every process of the console, and so the program, which
// decides what to do about them.
func Exec(argv, environ []string) (code int, err error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = environ
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	defer signal.Stop(signals)
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit):
		return exit.ExitCode(), nil
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return exitNoProgram, err
	}
	return exitCannotRun, err
}
