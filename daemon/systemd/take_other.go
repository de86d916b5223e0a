//go:build !linux

package systemd

import "os"

// Take returns the zero value: there is no such service manager here.
func Take() Given { return Given{} }

// IsJournal reports false: there is no journal here.
func IsJournal(*os.File) bool { return false }

func monotonicUsec() string { return "" }
