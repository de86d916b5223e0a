//go:build unix

package service

import (
	"io/fs"
	"os"
	"syscall"
)

func uid() int { return os.Geteuid() }

// ownerOf is a file's owner, or -1 if unknown.
func ownerOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}
