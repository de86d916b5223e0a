package child

import (
	"os"
	"os/exec"
)

// OwnGroup does nothing: there are no process groups here, and what a program leaves
// behind keeps running.
func OwnGroup(*exec.Cmd) {}

// Reap does nothing: a process need not be waited for here.
func Reap(*os.Process) {}

// Kill kills only the process itself.
func Kill(p *os.Process) error { return p.Kill() }

// Open opens a file for reading.
func Open(path string) (*os.File, error) { return os.Open(path) }
