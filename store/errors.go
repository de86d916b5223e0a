package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/providerd/providerd/store/trust"
	"github.com/providerd/providerd/store/underway"
)

// A HeldError means that another process has the database open.
type HeldError struct {
	Path  string
	Owner Owner // zero if it is not a providerd, or unknown
}

func (e *HeldError) Error() string {
	var who []string
	if e.Owner.PID != 0 {
		who = append(who, fmt.Sprintf("pid %d", e.Owner.PID))
	}
	if e.Owner.Socket != "" {
		who = append(who, "socket "+e.Owner.Socket)
	}
	if len(who) == 0 {
		return fmt.Sprintf("open the database %s: another process holds it", e.Path)
	}
	if e.Owner.isEnding() {
		return fmt.Sprintf("open the database %s: a providerd that has ended (%s) still waits for its disk, which does not answer",
			e.Path, strings.Join(who, ", "))
	}
	return fmt.Sprintf("open the database %s: providerd is already running (%s)", e.Path, strings.Join(who, ", "))
}

// Hint says what to type next.
func (e *HeldError) Hint() string {
	switch {
	case e.Owner.isEnding():
		return (&underway.HangError{}).Hint()
	case e.Owner.socketIsGone():
		return fmt.Sprintf("its socket is gone; it makes a new one within 10 s, then use it: providerctl --socket %s status; or stop it first: kill %d",
			e.Owner.Socket, e.Owner.PID)
	case e.Owner.Socket != "":
		return fmt.Sprintf("use the running one: providerctl --socket %s status; or stop it first", e.Owner.Socket)
	case e.Owner.PID != 0:
		return fmt.Sprintf("use the running one, or stop it first: kill %d", e.Owner.PID)
	}
	return fmt.Sprintf("find the program that has the file open, and end it: fuser -v %s", e.Path)
}

// A UsurpedError means that another process has taken the path of an open database.
type UsurpedError struct {
	Path    string
	Owner   Owner  // zero if unknown
	Problem string // what made that possible
}

func (e *UsurpedError) Error() string {
	who := "another process"
	if e.Owner.PID != 0 {
		who = fmt.Sprintf("another providerd (pid %d, socket %s)", e.Owner.PID, e.Owner.Socket)
	}
	return fmt.Sprintf("%s has taken the database %s: %s", who, e.Path, e.Problem)
}

// Hint says what to do next.
func (e *UsurpedError) Hint() string {
	return "run only one of the two, and do not move or delete the folder " + filepath.Dir(e.Path) + " while it runs"
}

// A FutureError means that a newer providerd wrote the database. The file was not
// changed.
type FutureError struct {
	Path         string
	Found, Known int // schema versions
}

func (e *FutureError) Error() string {
	return fmt.Sprintf("open the database %s: its schema is version %d, but this providerd supports at most %d",
		e.Path, e.Found, e.Known)
}

// Hint says what to do next.
func (e *FutureError) Hint() string {
	return "run the newer providerd that wrote it, or start with another folder: providerd --state-dir DIR"
}

// An OpenError says which step of opening or copying the database failed.
type OpenError struct {
	Op    string // such as "create"
	Path  string // of the database
	Err   error
	Needs int64 // temporary disk space in bytes; 0: unknown
}

func (e *OpenError) Error() string { return fmt.Sprintf("%s %s: %v", e.Op, e.Path, e.Err) }

func (e *OpenError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *OpenError) Hint() string {
	folder := filepath.Dir(e.Path)
	var path *trust.PathError
	var file *trust.FileError
	const otherFolder = "or use another folder: providerd --state-dir DIR"
	var bad *corruptError
	var broke *panicError
	switch {
	case errors.As(e.Err, &bad), errors.As(e.Err, &broke), errors.Is(e.Err, errMoved):
		return "try again in a moment: providerd replaces a damaged database and keeps the old one; see: providerctl logs"
	case errors.As(e.Err, &path):
		return path.Hint() + ": providerd --state-dir DIR"
	case errors.As(e.Err, &file):
		return file.Hint()
	case errors.Is(e.Err, errSymlink):
		return "put a plain file there, or name the folder that the link points to: providerd --state-dir DIR"
	case errors.Is(e.Err, errNotFile):
		return "move it away, " + otherFolder
	case e.Needs > 0 && noSpace(e.Err):
		return fmt.Sprintf("free %d MB on the disk of %s and start again (the database is unchanged), %s",
			e.Needs>>20+1, folder, otherFolder)
	}
	var hang *underway.HangError
	if errors.As(e.Err, &hang) {
		return hang.Hint()
	}
	for _, r := range refusals {
		switch {
		case !r.holds(e):
		case r.ours:
			return r.hint
		default:
			return strings.ReplaceAll(r.hint, "FOLDER", folder) + ", " + otherFolder
		}
	}
	return fmt.Sprintf("check that %s is a folder on a writable disk, %s", folder, otherFolder)
}

// noSpace reports whether a disk is full, or a quota or a limit on file sizes is reached.
// bbolt keeps only the text of some errors.
func noSpace(err error) bool {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if err != nil && (errors.Is(err, full) || strings.Contains(err.Error(), full.Error())) {
			return true
		}
	}
	return false
}

var (
	errSymlink = errors.New("it is a symbolic link")
	errNotFile = errors.New("it is not a plain file")
)
