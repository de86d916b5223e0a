package main

import (
	"os"
	"syscall"
)

const hangup = syscall.SIGHUP // never sent here

var (
	handled = []os.Signal{os.Interrupt, syscall.SIGTERM}
	ignored []os.Signal
)
