// Package trust tells whether another user can change where a path leads. The database
// and the control socket are only as safe as every folder above them: a user who can
// rename one of those can replace it between a check and a use. Checking twice would not
// help, so a path through a folder that others can change is refused. On the remaining
// paths there is nobody to race with.
//
// It imports only the standard library and store/userns. On a system without Unix
// permissions it trusts everything.
package trust

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// A PathError says which part of a path others can change.
type PathError struct {
	Path    string // the part: a folder or a symbolic link
	Problem string // such as "belongs to uid 1000"
	hint    string // empty: the usual one
}

func (e *PathError) Error() string { return e.Path + " " + e.Problem }

// Hint says what to do next.
func (e *PathError) Hint() string {
	if e.hint != "" {
		return e.hint
	}
	return "make root or the user that runs providerd the owner of " + e.Path + ", writable by nobody else, or choose another path"
}

// mostLinks is how many symbolic links one path may have, as on Linux.
const mostLinks = 40

// Existing returns a [*PathError] unless dir, every folder above it and every symbolic
// link on the way belongs to us, to root or to the owner of the root folder, and is not
// writable by everybody. A sticky folder like /tmp is fine, and so is a folder that its
// owner has made writable by a group.
//
// A missing folder is an error too, after those above it have been checked: somebody else
// could create it a moment later.
func Existing(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	_, err = Resolve(dir, Check)
	return err
}

// Resolve follows an absolute path as the kernel does, and returns the path without links.
// Starting at the root folder it calls check for every folder and symbolic link on the
// way, and for what the path names, before it continues from there. It stops at the first
// error.
func Resolve(path string, check func(path string, info fs.FileInfo) error) (string, error) {
	top := filepath.VolumeName(path) + string(filepath.Separator)
	at, ahead, links := top, split(path), 0
	for next := top; ; {
		info, err := os.Lstat(next)
		if err != nil {
			return "", err
		}
		if err := check(next, info); err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
		} else {
			if links++; links > mostLinks {
				return "", &PathError{Path: next, Problem: "leads through too many symbolic links"}
			}
			to, err := os.Readlink(next)
			if err != nil {
				return "", err
			}
			if filepath.IsAbs(to) {
				at = filepath.VolumeName(to) + string(filepath.Separator)
			}
			ahead = append(split(to), ahead...)
		}
		for len(ahead) > 0 && ahead[0] == ".." { // the folder above has been checked
			at, ahead = filepath.Dir(at), ahead[1:]
		}
		if len(ahead) == 0 {
			return at, nil
		}
		next, ahead = filepath.Join(at, ahead[0]), ahead[1:]
	}
}

// split returns the names in a path.
func split(path string) []string {
	path = path[len(filepath.VolumeName(path)):]
	return slices.DeleteFunc(strings.FieldsFunc(path, func(r rune) bool { return r < utf8.RuneSelf && os.IsPathSeparator(uint8(r)) }),
		func(name string) bool { return name == "." })
}

// Check returns a [*PathError] if another user can change what is at path; see [Existing].
func Check(path string, info fs.FileInfo) error {
	if problem := foreign(path, info); problem != "" {
		return &PathError{Path: path, Problem: problem}
	}
	return nil
}

// A Holder is the owner of a file.
type Holder uint8

const (
	Another Holder = iota // or unknown
	Us
	Root
)

// Open opens the plain file at path for reading and writing, and creates it with flag
// os.O_CREATE. It does not follow a symbolic link or wait for the other end of a pipe. It
// returns a [*FileError] for anything but a plain file of ours or root's with a single
// name: writing to a hard link could write to somebody else's file.
func Open(path string, flag int, perm fs.FileMode) (*os.File, error) {
	if info, err := os.Lstat(path); err == nil { // for a better error, and for systems without O_NOFOLLOW
		if err := check(path, info); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, flag|os.O_RDWR|guarded, perm)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = check(path, info)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// A FileError says why the file at Path does not count as ours.
type FileError struct {
	Path    string
	Problem string
}

func (e *FileError) Error() string { return e.Path + " " + e.Problem }

// hardLink is a problem of a file that may be ours and intact, so that moving it away would
// lose data.
const hardLink = "has a second name: it is a hard link"

// Hint says what to do next.
func (e *FileError) Hint() string {
	if e.Problem == hardLink {
		return "find its other name, and move away the wrong one: find / -xdev -samefile " + e.Path
	}
	return "check it, then move it away: ls -ld " + e.Path
}

func check(path string, info fs.FileInfo) error {
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return &FileError{path, "is a symbolic link"}
	case !info.Mode().IsRegular():
		return &FileError{path, "is not a plain file"}
	}
	switch names, known := namesOf(info); {
	case !known:
		return nil
	case !trusted(path, info):
		return &FileError{path, "belongs to " + OwnerOf(info)}
	case names > 1:
		return &FileError{path, hardLink}
	}
	return nil
}
