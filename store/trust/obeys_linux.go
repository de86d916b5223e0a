package trust

import (
	"io/fs"
	"syscall"
)

// obeysUs reports whether the kernel treats us as the owner of what is at path, whatever
// number it shows: only the owner may preserve the access time (open(2), O_NOATIME).
func obeysUs(path string, info fs.FileInfo) bool {
	if !info.IsDir() && !info.Mode().IsRegular() {
		return false
	}
	fd, err := syscall.Open(path, syscall.O_NOATIME|syscall.O_CLOEXEC|guarded, 0)
	if err != nil {
		return false
	}
	_ = syscall.Close(fd)
	return true
}
