//go:build unix

package ctl

import (
	"errors"
	"strings"
	"syscall"
)

// defaultPath is where execvp(3) looks if there is no PATH.
const defaultPath = "/bin:/usr/bin"

// Exec replaces this process by a program, which it finds as execvp(3) does. It returns
// only if that fails.
func Exec(argv, environ []string) (code int, err error) {
	if argv[0] == "" {
		return exitNoProgram, syscall.ENOENT
	}
	if strings.Contains(argv[0], "/") {
		err = execAt(argv[0], argv, environ)
	} else {
		err = execInPath(argv, environ)
	}
	if errors.Is(err, syscall.ENOENT) {
		return exitNoProgram, err
	}
	return exitCannotRun, err
}

// execInPath tries each folder of PATH. It skips a folder that may not be read, and a file
// that may not be run; they are the error if nothing else is found.
func execInPath(argv, environ []string) error {
	failure := error(syscall.ENOENT)
	for dir := range strings.SplitSeq(pathOf(environ), ":") {
		path := argv[0]
		if dir != "" { // an empty one is the working folder
			path = dir + "/" + path
		} else {
			path = "./" + path
		}
		switch err := execAt(path, argv, environ); {
		case errors.Is(err, syscall.EACCES):
			failure = err
		case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ENODEV),
			errors.Is(err, syscall.ESTALE), errors.Is(err, syscall.ETIMEDOUT):
		default:
			return err
		}
	}
	return failure
}

// execAt runs the file at path. The shell runs a script that does not name its
// interpreter, as everywhere else.
func execAt(path string, argv, environ []string) error {
	err := syscall.Exec(path, argv, environ)
	if errors.Is(err, syscall.ENOEXEC) {
		return syscall.Exec("/bin/sh", append([]string{"sh", path}, argv[1:]...), environ)
	}
	return err
}

func pathOf(environ []string) string {
	for _, line := range environ {
		if path, ok := strings.CutPrefix(line, "PATH="); ok {
			return path
		}
	}
	return defaultPath
}
