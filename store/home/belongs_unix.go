//go:build unix

package home

import (
	"io/fs"
	"syscall"
)

func belongsTo(info fs.FileInfo, uid int) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == uid
}
