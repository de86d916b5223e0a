package service

import (
	"io/fs"

	"golang.org/x/sys/windows"
)

// uid is 0 for an elevated process of an administrator, like root elsewhere.
func uid() int {
	if windows.GetCurrentProcessToken().IsElevated() {
		return 0
	}
	return -1
}

// ownerOf is not part of a file's mode here.
func ownerOf(fs.FileInfo) int { return -1 }
