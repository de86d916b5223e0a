package trust

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// A ProgramError is why the program at Program is not run.
type ProgramError struct {
	Program string
	Part    string // the part of its path that has the problem
	Problem string // such as "can be written by everybody (mode 0777)"
	repair  string
}

func (e *ProgramError) Error() string {
	if e.Part == e.Program {
		return e.Program + " " + e.Problem
	}
	return e.Program + ": " + e.Part + " " + e.Problem
}

// Hint is the command that fixes it or, if there is none, what to do.
func (e *ProgramError) Hint() string { return e.repair }

// elsewhere is what to do if the place itself is wrong.
const elsewhere = "move it into a folder that nobody else can write"

// Program returns a [*ProgramError] if the file at path is not a program, or if somebody
// else could put another in its place. It is stricter than [Existing]: the folder of the
// program must not be writable by everybody even if it is sticky and, for root, nothing on
// the way may be writable by a group. If there is no file, the error is that of [os.Lstat].
func Program(path string) error {
	if _, err := os.Lstat(path); err != nil {
		return err
	}
	at, err := Resolve(path, func(part string, info fs.FileInfo) error {
		if problem, repair := changeable(part, info); problem != "" {
			if info.IsDir() && part != filepath.Dir(path) && !trusted(part, info) {
				repair = elsewhere // a user's home stays the user's
			}
			return &ProgramError{path, part, problem, repair}
		}
		return nil
	})
	if err != nil {
		return asProgramError(path, err)
	}
	info, err := os.Lstat(at)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return &ProgramError{path, at, "is not a plain file", "move it away"}
	case !executable(info):
		return &ProgramError{path, at, "is not executable", sudo(at, info) + "chmod +x " + quoted(at)}
	}
	for _, file := range []string{path, at} {
		dir := filepath.Dir(file)
		if info, err := os.Stat(dir); err != nil || isOpen(info) {
			return &ProgramError{path, dir, "can be written by everybody", elsewhere}
		}
	}
	return nil
}

// asProgramError makes an error of [Resolve] a [*ProgramError].
func asProgramError(path string, err error) error {
	if part := (*PathError)(nil); errors.As(err, &part) {
		return &ProgramError{path, part.Path, part.Problem, part.Hint()}
	}
	return err
}
