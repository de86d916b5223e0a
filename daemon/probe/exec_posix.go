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
