//go:build !linux

package cmd_test

// play has no parts here.
func play(string) bool { return false }
