//go:build unix

package client

import (
	"io/fs"
	"os"
	"syscall"
)

// oursAlone reports whether the file is this user's and no other may write it.
func oursAlone(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid() && info.Mode().Perm()&0o022 == 0
}
