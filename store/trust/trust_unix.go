//go:build unix

package trust

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// guarded: a symbolic link is not followed, and a pipe not waited for.
const guarded = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// foreign says why others have a say in what info is of; empty when they have not.
func foreign(info fs.FileInfo) string {
	uid, _, known := ownerAndNames(info)
	if known && !trusted(uid) {
		return fmt.Sprintf("belongs to uid %d", uid)
	}
	if info.IsDir() && info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
		return fmt.Sprintf("can be written by everybody (mode %04o)", info.Mode().Perm())
	}
	return ""
}

// trusted reports whether a user is us, root, or the owner of the root folder,
// which is who root looks like from inside a user namespace that has not mapped
// it. With that folder goes everything, so that it adds nobody.
func trusted(uid uint32) bool {
	if uid == 0 || int(uid) == os.Geteuid() {
		return true
	}
	info, err := os.Lstat("/")
	if err != nil {
		return false
	}
	top, _, known := ownerAndNames(info)
	return known && uid == top
}

func ownerAndNames(info fs.FileInfo) (uid uint32, names uint64, known bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return st.Uid, uint64(st.Nlink), true
}
