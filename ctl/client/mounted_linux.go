package client

import (
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// isMounted reports whether what is at a path is mounted there by itself, as a container
// runtime mounts a single file. It is the file that was there at that time, for good.
func isMounted(path string) bool {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, 0, &st)
	if err == nil && st.Attributes_mask&unix.STATX_ATTR_MOUNT_ROOT != 0 {
		return st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
	}
	file, folder := deviceOf(path), deviceOf(filepath.Dir(path)) // before Linux 5.8
	return file != 0 && folder != 0 && file != folder            // 0: gone, as between two daemons
}

func deviceOf(path string) uint64 {
	if info, err := os.Lstat(path); err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			return uint64(st.Dev)
		}
	}
	return 0
}
