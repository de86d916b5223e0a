//go:build unix

package examine

import (
	"io/fs"
	"syscall"
)

// ownerOf is the uid of a file's owner; −1 if it is not told.
func ownerOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}
