package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// bornAt is when the file was created, in nanoseconds; 0 if the file system does not
// tell. Inode numbers are soon reused, possibly for a copy that is the same in every
// other respect.
func bornAt(f *os.File) uint64 {
	var st unix.Statx_t
	err := unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_BTIME, &st)
	if err != nil || st.Mask&unix.STATX_BTIME == 0 {
		return 0
	}
	return uint64(st.Btime.Sec)*1e9 + uint64(st.Btime.Nsec)
}
