package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/providerd/providerd/store/home"
)

// An Env is everything that a configuration depends on besides its file.
type Env struct {
	// Getenv looks up a variable; nil means that none is set.
	Getenv func(string) string
	// LookupEnv distinguishes an empty variable from one that is not set; nil means that
	// an empty one counts as not set.
	LookupEnv func(string) (string, bool)
	// UID decides between the system's paths (0) and the user's. It is -1 on systems without
	// user ids.
	UID int
	// Home is the user's home where HOME names none; empty where there is none.
	Home string
	// System means the system's paths for any user, as for the service.
	System bool
	// TempDir is where the socket goes if nothing better is known.
	TempDir string
	// OS is a GOOS; empty means linux.
	OS string
	// ReadFile reads a whole plain file of at most limit bytes and returns its mode; nil
	// means the files of the operating system.
	ReadFile func(name string, limit int64) ([]byte, fs.FileMode, error)
	// CheckNotify says what is wrong with a [[notify]] according to its kind, such as a
	// template; nil means that nothing is. After a [SettingError] the error shows the
	// setting's own line.
	CheckNotify func(*Notify) error
}

// OSEnv is the environment of this process.
func OSEnv() Env {
	uid := os.Getuid()
	return Env{Getenv: os.Getenv, LookupEnv: os.LookupEnv, UID: uid, Home: home.Folder(os.Getenv("HOME"), uid), TempDir: os.TempDir(), OS: runtime.GOOS}
}

// ForSystem reports whether the daemon serves the whole machine rather than one user.
func (e Env) ForSystem() bool { return e.System || e.UID == 0 }

// get is Getenv without the blanks around a value; a blank variable counts as unset.
func (e Env) get(name string) string {
	if e.Getenv == nil {
		return ""
	}
	return strings.TrimSpace(e.Getenv(name))
}

// unset says in which way a variable has no value.
func (e Env) unset(name string) string {
	if e.LookupEnv != nil {
		if v, set := e.LookupEnv(name); set && strings.TrimSpace(v) == "" {
			return "empty"
		}
	}
	return "not set"
}

func (e Env) readFile(name string, limit int64) ([]byte, fs.FileMode, error) {
	if e.ReadFile != nil {
		return e.ReadFile(name, limit)
	}
	return readRegular(name, limit)
}

// modified is when a file was last changed; zero if unknown.
func (e Env) modified(name string) time.Time {
	if info, err := os.Stat(name); err == nil && e.ReadFile == nil {
		return info.ModTime()
	}
	return time.Time{}
}

var (
	errNotRegular = errors.New("is not a plain file")
	errDirectory  = errors.New("is a directory")
)

// A tooLargeError is a file above its limit, in bytes.
type tooLargeError int64

func (e tooLargeError) Error() string {
	return fmt.Sprintf("is larger than %d KiB", int64(e)>>10)
}

// readRegular checks before it opens: opening a named pipe could block for ever.
func readRegular(name string, limit int64) ([]byte, fs.FileMode, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, 0, err
	case info.IsDir():
		return nil, 0, errDirectory
	case !info.Mode().IsRegular():
		return nil, 0, errNotRegular
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	// One byte more than allowed: the file may grow, and files in /proc have size 0.
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, 0, err
	}
	if int64(len(data)) > limit {
		return nil, 0, tooLargeError(limit)
	}
	return data, info.Mode(), nil
}

// reasonOf is a file error without the path, which the caller adds itself.
func reasonOf(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err.Error()
	}
	return err.Error()
}
