package configfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/providerd/providerd/store/trust"
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
}

// read finds what a path leads to. A link that leads nowhere leads to the place of a new
// file.
func read(path string) (source, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if to, err := os.Readlink(path); err == nil {
			if !filepath.IsAbs(to) {
				to = filepath.Join(filepath.Dir(path), to)
			}
			return source{path: filepath.Clean(to)}, nil
		}
		return source{path: path}, nil
	}
	if err != nil {
		return source{}, &fs.PathError{Op: "read", Path: path, Err: reason(err)}
	}
	if info, err := os.Stat(real); err == nil && !info.Mode().IsRegular() {
		return source{}, fmt.Errorf("%s is not a plain file", real)
	}
	f, err := os.Open(real)
	if err != nil {
		return source{}, &fs.PathError{Op: "read", Path: real, Err: reason(err)}
	}
	defer f.Close()
	data, err := contents(f)
	return source{real, data, true}, err
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
	if os.Geteuid() == 0 { // or root would write where others have it write
		if err := trust.Existing(dir); err != nil {
			return err
		}
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
	f, err := os.Open(s.path)
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
