//go:build unix

package trust

import (
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"syscall"

	"github.com/providerd/providerd/store/userns"
)

// guarded means that symbolic links are not followed and pipes not waited for.
const guarded = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// foreign says why others can change what is at path; empty if they cannot.
func foreign(path string, info fs.FileInfo) string {
	if !trusted(path, info) {
		return "belongs to " + OwnerOf(info)
	}
	open := info.Mode().Perm()&0o002 != 0
	if open && (info.Mode().IsRegular() || info.IsDir() && info.Mode()&fs.ModeSticky == 0) {
		return fmt.Sprintf("can be written by everybody (mode %04o)", info.Mode().Perm())
	}
	return ""
}

func trusted(path string, info fs.FileInfo) bool {
	return HolderOf(path, info) != Another || ofTheTop(info)
}

// HolderOf returns the owner of the file at path. The number that stands for owners outside
// our user namespace may be our own too; then it asks the file.
func HolderOf(path string, info fs.FileInfo) Holder {
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return Another
	case userns.KnownUser(st.Uid) && int(st.Uid) == os.Geteuid():
		return Us
	case userns.KnownUser(st.Uid) && st.Uid == 0:
		return Root
	case int(st.Uid) == os.Geteuid() && obeysUs(path, info):
		return Us
	}
	return Another
}

// ofTheTop reports whether a file belongs to the owner of the root folder, who controls
// everything. In a user namespace without root every other unmapped user looks like that
// owner. There folders are accepted, since otherwise none could be used, but plain files
// are not.
func ofTheTop(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	top, err := os.Lstat("/")
	if !ok || err != nil || info.Mode().IsRegular() && !userns.KnownUser(st.Uid) {
		return false
	}
	of, ok := top.Sys().(*syscall.Stat_t)
	return ok && st.Uid == of.Uid
}

// OwnerOf names the file's owner for people.
func OwnerOf(info fs.FileInfo) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return "an unknown user"
	case !userns.KnownUser(st.Uid):
		return "a user of another namespace"
	}
	return "uid " + strconv.FormatUint(uint64(st.Uid), 10)
}

func namesOf(info fs.FileInfo) (names uint64, known bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return uint64(st.Nlink), true
}
