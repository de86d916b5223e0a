// Package configfile creates and edits the configuration file, for the person who writes it.
// daemon/config knows what may be in the file; here it is a text that the caller checks.
//
// Nobody ever sees a half-written file, not even a daemon that reloads meanwhile, and not
// after the disk was full: it is written beside its place and then moved there.
package configfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/providerd/providerd/store/trust"
)

// ErrExists means that a file exists already.
var ErrExists = fs.ErrExist

// Modes are those of a new file and of the folders that are created for it.
type Modes struct{ File, Folder fs.FileMode }

// OfSystem is for the machine's daemon, whose user reads what root wrote. OfUser is for a
// person's own daemon. Neither lets others write.
var (
	OfSystem = Modes{0o644, 0o755}
	OfUser   = Modes{0o600, 0o700}
)

// Create writes a new file at path. If anything is there already, or is put there at the same
// moment, it is not replaced, and the error is [ErrExists]. A folder that others can change
// is refused, as the daemon would refuse a file in it.
func Create(path string, data []byte, m Modes) error {
	if _, err := os.Lstat(path); err == nil { // before creating a folder or filling the disk
		return &fs.PathError{Op: "write", Path: path, Err: ErrExists}
	}
	dir := filepath.Dir(path)
	if err := trust.MkdirAll(dir, m.Folder); err != nil {
		return err
	}
	temp, err := write(dir, data, m.File)
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	err = os.Link(temp, path) // fails if there is anything, even a dangling link
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = copyAnew(path, data, m.File) // the file system has no links
	}
	if err != nil {
		return &fs.PathError{Op: "write", Path: path, Err: reason(err)}
	}
	return syncFolder(dir)
}

// write writes data into a new file in a folder, and syncs it.
func write(dir string, data []byte, mode fs.FileMode) (name string, err error) {
	f, err := os.CreateTemp(dir, ".providerd.toml.*")
	if err != nil {
		return "", &fs.PathError{Op: "write in", Path: dir, Err: reason(err)}
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if err := fill(f, data, mode); err != nil {
		return "", &fs.PathError{Op: "write in", Path: dir, Err: reason(err)}
	}
	return f.Name(), nil
}

// copyAnew writes a file that must not exist yet.
func copyAnew(path string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := fill(f, data, mode); err != nil {
		_ = os.Remove(path)
		return err
	}
	return nil
}

// fill writes data and closes the file.
func fill(f *os.File, data []byte, mode fs.FileMode) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// reason is an error of the operating system without its paths.
func reason(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
