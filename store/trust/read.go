package trust

import (
	"io"
	"os"
	"path/filepath"
)

// ReadFile reads at most limit bytes of the plain file at path, if [Open] would open it, it is
// in a folder that [Existing] accepts, and others may not write it. It needs no permission to
// write.
func ReadFile(path string, limit int64) ([]byte, error) {
	if err := Existing(filepath.Dir(path)); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|guarded, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil {
		err = check(path, info)
	}
	if err == nil {
		err = Check(path, info)
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, limit))
}
