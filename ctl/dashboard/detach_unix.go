//go:build unix

package dashboard

import (
	"os/exec"
	"syscall"
)

// detach keeps ctrl-C in our terminal from ending the browser.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
