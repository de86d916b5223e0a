//go:build !windows

package probe

import (
	"os"
	"os/exec"
	"syscall"
)

// inOwnGroup gives the process a group of its own, so that what it starts can be
// ended with it.
func inOwnGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// openProgram opens a file to be looked at, and does not wait for a writer of a pipe.
func openProgram(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// killGroup ends a process and all of its group. It may be called after the
// process was waited for: its number is not given to another while anything of the
// group lives, and after that only when all other numbers were.
func killGroup(p *os.Process) error {
	err := syscall.Kill(-p.Pid, syscall.SIGKILL)
	if err == syscall.ESRCH {
		return os.ErrProcessDone
	}
	return err
}

// reapGroup waits for what is left of the group of a plug-in that was waited for
// and killed. Only of an init are they children, as of a daemon that is a
// container's first process: nobody else would wait for them there.
func reapGroup(p *os.Process) {
	for {
		if _, err := syscall.Wait4(-p.Pid, nil, 0, nil); err != nil && err != syscall.EINTR {
			return // ECHILD: none is left, or they are another's
		}
	}
}
