// Package configfile makes and changes the file that a configuration is read from, for
// the person who writes it. What may stand in the file is daemon/config's; here it is a
// text that others check.
//
// A file is never seen half written, not by a daemon that reloads meanwhile and not after
// the disk was full: it is written beside its place and then put there whole.
package configfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/providerd/providerd/store/trust"
)

// ErrExists is that a file is there already.
var ErrExists = fs.ErrExist

// Modes are those of a new file and of the folders that are made for it.
type Modes struct{ File, Folder fs.FileMode }

// OfSystem are for the machine's daemon, whose user reads what root wrote. OfUser are for
// a person's own. Neither lets others write.
var (
	OfSystem = Modes{0o644, 0o755}
	OfUser   = Modes{0o600, 0o700}
)

// Create writes a new file at path. It replaces nothing, whoever puts something there at
// the same moment: then, and if anything is there already, the error is [ErrExists]. A
// folder that others can change is refused, as the daemon would refuse what is in it.
func Create(path string, data []byte, m Modes) error {
	if _, err := os.Lstat(path); err == nil { // before a folder is made or the disk is full
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
	err = os.Link(temp, path) // fails if there is anything, a link that leads nowhere too
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = copyAnew(path, data, m.File) // a file system without links
	}
	if err != nil {
		return &fs.PathError{Op: "write", Path: path, Err: reason(err)}
	}
	return syncFolder(dir)
}

// write puts data into a new file of a folder, on its disk.
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

// copyAnew writes a file that must not be there yet.
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
