//go:build linux || darwin

package examine

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/ctl/doctor"
)

// readOnly is ST_RDONLY of Linux and MNT_RDONLY of macOS.
const readOnly = 1

// diskOf asks how much room a folder has or, while it is not there, the nearest one above.
func diskOf(folder string) doctor.Disk {
	if !filepath.IsAbs(folder) {
		return doctor.Disk{}
	}
	d, err := within(func() (doctor.Disk, error) { return statfs(folder) })
	if errors.Is(err, errHangs) {
		return doctor.Disk{Folder: folder, Hangs: true}
	}
	return d
}

func statfs(folder string) (doctor.Disk, error) {
	d := doctor.Disk{Folder: folder}
	for !exists(folder) && folder != "/" {
		if _, err := os.Lstat(folder); !errors.Is(err, os.ErrNotExist) {
			return d, err
		}
		folder = filepath.Dir(folder)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return d, err
	}
	block := uint64(st.Bsize)
	d.Known = true
	d.Free, d.Total = uint64(st.Bavail)*block, st.Blocks*block
	d.Inodes, d.AllNodes = st.Ffree, st.Files
	d.ReadOnly = st.Flags&readOnly != 0
	return d, nil
}
