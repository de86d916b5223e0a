package configfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxFile is more than any configuration may have, in bytes.
const maxFile = 4 << 20

// ErrChanged is that somebody else changed the file meanwhile.
var ErrChanged = errors.New("it was changed by somebody else meanwhile")

// A source is a file as it was when it was read; absent, it has only a place.
type source struct {
	path string // without links
	data []byte
	here bool
	// names is how many the file has: more than one if there are hard links to it. All
	// of them lead to inode.
	names, inode uint64
}

// read finds what a path leads to. A link that leads nowhere leads to the place of a new
// file.
func read(path string) (source, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		path, err = endOf(path)
		return source{path: path}, err
	}
	if err != nil {
		return source{}, &fs.PathError{Op: "read", Path: path, Err: reason(err)}
	}
	data, err := readPlain(real)
	s := source{path: real, data: data, here: true}
	if info, err := os.Stat(real); err == nil {
		s.names, s.inode = namesOf(info)
	}
	return s, err
}

// endOf follows links to where the last one leads, whether or not something is there.
func endOf(path string) (string, error) {
	for range mostLinks {
		to, err := os.Readlink(path)
		if err != nil {
			return path, nil
		}
		if !filepath.IsAbs(to) {
			dir := filepath.Dir(path)
			if real, err := filepath.EvalSymlinks(dir); err == nil { // ".." is of where a link leads
				dir = real
			}
			to = filepath.Join(dir, to)
		}
		path = filepath.Clean(to)
	}
	return "", fmt.Errorf("%s leads through too many symbolic links", path)
}

// mostLinks is as many as Linux follows.
const mostLinks = 40

// readPlain reads a file that may be anything by now: it waits for nobody to write into a
// named pipe, and takes no more than a configuration may have.
func readPlain(path string) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // to open a device may do something
		return nil, fmt.Errorf("%s is not a plain file", path)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|dontWait, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: path, Err: reason(err)}
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a plain file", path)
	}
	return contents(f)
}

func contents(f *os.File) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s is no configuration: it is larger than %d MiB", f.Name(), maxFile>>20)
	}
	return data, err
}

// writable tries what replace will do, short of replacing.
func (s source) writable() error {
	dir := filepath.Dir(s.path)
	if !s.here {
		for !exists(dir) && filepath.Dir(dir) != dir {
			dir = filepath.Dir(dir)
		}
	}
	if err := trustedForRoot(dir); err != nil {
		return err
	}
	temp, err := write(dir, nil, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	if !s.here {
		return nil
	}
	return s.likeness(temp)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// likeness gives a new file what the old one has beside its contents.
func (s source) likeness(name string) error {
	info, err := os.Stat(s.path)
	if err == nil {
		err = keepOwner(name, info)
	}
	if err == nil {
		err = keepAttributes(name, s.path)
	}
	if err == nil {
		err = os.Chmod(name, info.Mode().Perm())
	}
	if err != nil {
		return &fs.PathError{Op: "keep owner and mode of", Path: s.path, Err: reason(err)}
	}
	return nil
}

// replace puts data in the place of what was read. The error is [ErrChanged] if something
// else is there by now.
func (s source) replace(data []byte, m Modes) error {
	if !s.here {
		err := Create(s.path, data, m)
		if errors.Is(err, ErrExists) {
			return ErrChanged
		}
		return err
	}
	f, err := os.OpenFile(s.path, os.O_RDONLY|dontWait, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrChanged
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := lock(f); err != nil {
		return err
	}
	if err := s.stillThere(f); err != nil {
		return err
	}
	temp, err := write(filepath.Dir(s.path), data, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	if err := s.likeness(temp); err != nil {
		return err
	}
	if err := os.Rename(temp, s.path); err != nil {
		return &fs.PathError{Op: "replace", Path: s.path, Err: reason(err)}
	}
	return syncFolder(filepath.Dir(s.path))
}

// stillThere compares what was read with what f, and nothing else, has at the path.
func (s source) stillThere(f *os.File) error {
	now, err := contents(f)
	if err != nil {
		return err
	}
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(s.path)
	if err != nil || !os.SameFile(mine, there) || !bytes.Equal(now, s.data) {
		return ErrChanged
	}
	return nil
}
