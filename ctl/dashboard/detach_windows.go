package dashboard

import (
	"os/exec"
	"syscall"
)

// detach keeps ctrl-C in our console from ending the browser.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
