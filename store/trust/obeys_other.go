//go:build unix && !linux

package trust

import "io/fs"

// obeysUs is not needed: every number names one user.
func obeysUs(string, fs.FileInfo) bool { return true }
