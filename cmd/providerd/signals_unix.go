//go:build !windows

package main

import (
	"os"
	"syscall"
)

const hangup = syscall.SIGHUP

var (
	handled = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
	// A closed pipe behind the log is no reason to die.
	ignored = []os.Signal{syscall.SIGPIPE}
)
