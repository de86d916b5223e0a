package trust

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Insecure are folders, by their absolute paths without links, that are accepted although
// everybody may write in them, because the configuration says so: a container's volume can
// be like that, and cannot be changed without root. They must still belong to us, to root or
// to the owner of the root folder. No file is kept in them directly, only in folders of our
// own. Everybody can move such a folder away, but cannot read or write what is in it; what
// they put in its place is not ours, and is refused.
type Insecure []string

// check is [Check] for a part of a path.
func (in Insecure) check(path string, info fs.FileInfo) error {
	if info.IsDir() && slices.Contains(in, path) && trusted(path, info) {
		return nil
	}
	err := Check(path, info)
	if part := (*PathError)(nil); errors.As(err, &part) && info.IsDir() && trusted(path, info) {
		part.hint = "make " + path + " writable only by root and the user that runs providerd" +
			" (if it is a volume that you cannot change: providerd --insecure-folder " + path + "), or choose another path"
	}
	return err
}

// MkdirAll creates dir and what is missing above it, unless [Existing] objects. Each folder
// must exist, and not be somebody else's, before the next is created in it: in a folder like
// /tmp somebody else may have been faster.
func MkdirAll(dir string, perm fs.FileMode) error { return Insecure(nil).MkdirAll(dir, perm) }

// MkdirAll is the function MkdirAll, but accepts these folders above dir.
func (in Insecure) MkdirAll(dir string, perm fs.FileMode) error {
	if err := in.mkdirAll(dir, perm); err != nil {
		return err
	}
	at, err := in.resolve(dir)
	if err != nil || !slices.Contains(in, at) {
		return err
	}
	var part *PathError
	if err = Existing(at); errors.As(err, &part) && part.Path == at {
		part.hint = "only the folders above may be insecure: choose a folder in it, such as " + filepath.Join(at, "providerd")
	}
	return err
}

// MkdirAbove creates what is missing above path; any of it may be insecure.
func (in Insecure) MkdirAbove(path string, perm fs.FileMode) error {
	return in.mkdirAll(filepath.Dir(path), perm)
}

func (in Insecure) mkdirAll(dir string, perm fs.FileMode) error {
	_, err := in.resolve(dir)
	switch {
	case err == nil:
		return os.MkdirAll(dir, perm) // an error if it is not a folder
	case !errors.Is(err, fs.ErrNotExist) || filepath.Dir(dir) == dir:
		return err
	}
	if err := in.mkdirAll(filepath.Dir(dir), perm); err != nil {
		return err
	}
	if err := os.Mkdir(dir, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	_, err = in.resolve(dir)
	return err
}

func (in Insecure) resolve(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return Resolve(dir, in.check)
}
