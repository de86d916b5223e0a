package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/kardianos/service"
)

// ThisHost is the machine that this process runs on.
func ThisHost() (Host, error) {
	program, err := os.Executable()
	if err == nil {
		program, err = filepath.EvalSymlinks(program)
	}
	if err != nil {
		return Host{}, fmt.Errorf("find the path of this program: %w", err)
	}
	home, _ := os.UserHomeDir() // empty if unknown: only a user's service needs it
	return Host{
		Platform: service.Platform(), UID: uid(), Program: program, Home: home, Getenv: os.Getenv,
		HasUser:  func(name string) bool { _, err := user.Lookup(name); return err == nil },
		HasGroup: func(name string) bool { _, err := user.LookupGroup(name); return err == nil },
		LookPath: exec.LookPath, Run: runCommand, New: service.New,
	}, nil
}

// runCommand runs a command. Its error has the last line that the command wrote to
// standard error.
func runCommand(ctx context.Context, input, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var out, talk bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &talk
	err := cmd.Run()
	if err == nil {
		return out.String(), nil
	}
	line := strings.Join(append([]string{name}, args...), " ")
	lines := strings.Split(strings.TrimSpace(talk.String()), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return out.String(), fmt.Errorf("%s: %w: %s", line, err, last)
	}
	return out.String(), fmt.Errorf("%s: %w", line, err)
}

// at is where a path of the host is, below Root.
func (s *Service) at(path string) string { return filepath.Join(s.host.Root, path) }

func (s *Service) exists(path string) bool {
	_, err := os.Lstat(s.at(path))
	return err == nil
}

// read reads a file of the host; ok is false if there is none.
func (s *Service) read(path string) (text string, ok bool, err error) {
	b, err := os.ReadFile(s.at(path))
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	return string(b), err == nil, err
}
