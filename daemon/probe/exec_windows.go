package probe

import (
	"os"
	"os/exec"
)

// inOwnGroup does nothing: there are no process groups here, and what a plug-in leaves
// behind keeps running.
func inOwnGroup(*exec.Cmd) {}

// reapGroup does nothing: a process need not be waited for here.
func reapGroup(*os.Process) {}

// killGroup kills only the process itself.
func killGroup(p *os.Process) error { return p.Kill() }

// openProgram opens a file for reading.
func openProgram(path string) (*os.File, error) { return os.Open(path) }
