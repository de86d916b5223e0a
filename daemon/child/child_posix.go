//go:build !windows

package child

import (
	"os"
	"os/exec"
	"syscall"
)

// OwnGroup gives the process a group of its own, so that its children can be killed with
// it.
func OwnGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// Open opens a file for reading, and does not wait if it is a pipe without a writer.
func Open(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// Kill ends a process and all of its group. It may be called after the process was
// waited for: its number is not reused while the group has a process, and after that only
// once all other numbers were used.
func Kill(p *os.Process) error {
	err := syscall.Kill(-p.Pid, syscall.SIGKILL)
	if err == syscall.ESRCH {
		return os.ErrProcessDone
	}
	return err
}

// Reap waits for what is left of the killed group of a program. Those processes are
// our children only if the daemon is the first process of a container. Then nobody else
// would wait for them.
func Reap(p *os.Process) {
	for {
		if _, err := syscall.Wait4(-p.Pid, nil, 0, nil); err != nil && err != syscall.EINTR {
			return // ECHILD: none is left, or they are not our children
		}
	}
}
