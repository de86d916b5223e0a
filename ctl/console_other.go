//go:build !windows

package ctl

// consoleReadsUTF8 is a question for Windows.
func consoleReadsUTF8() bool { return false }
