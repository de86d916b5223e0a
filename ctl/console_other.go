//go:build !windows

package ctl

// consoleReadsUTF8 matters on Windows only.
func consoleReadsUTF8() bool { return false }
