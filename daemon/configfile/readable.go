package configfile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/trust"
)

// A User is somebody else, whose rights are asked for without being them.
type User struct {
	Name   string
	Group  string // the name of GID; empty: as Name
	UID    uint32
	GID    uint32
	Groups []uint32
}

// An UnreadableError says what keeps a user from a file.
type UnreadableError struct {
	Path string // the file
	Part string // the folder on the way that is closed, or the file itself
	Mode fs.FileMode
	User string
	// Group is one that the user is in.
	Group string
	runs  bool
}

func (e *UnreadableError) Error() string {
	switch {
	case e.Part != e.Path:
		return fmt.Sprintf("%s: the user %s may not pass through %s (mode %04o)", e.Path, e.User, e.Part, e.Mode.Perm())
	case e.runs:
		return fmt.Sprintf("%s: the user %s may not run it (mode %04o)", e.Path, e.User, e.Mode.Perm())
	}
	return fmt.Sprintf("%s: the user %s may not read it (mode %04o)", e.Path, e.User, e.Mode.Perm())
}

// Hint says what to type next.
func (e *UnreadableError) Hint() string {
	right := "g+r"
	if e.Part != e.Path {
		right = "g+x"
	} else if e.runs {
		right = "g+rx"
	}
	return fmt.Sprintf("sudo chgrp %s %s && sudo chmod %s %[2]s", cmp.Or(e.Group, e.User), provider.ShellWord(e.Part), right)
}

// May is an [*UnreadableError] if the user may not read what path leads to, or run it: for
// the mode of the file, or of a folder on the way to it or to where a link leads. It is
// nil if they may, and where that cannot be told: if we cannot look, nothing is there, or
// an access list decides.
func (u User) May(path string, run bool) error {
	_, err := trust.Resolve(path, func(part string, info fs.FileInfo) error {
		var need fs.FileMode
		switch {
		case info.IsDir():
			need = 1
		case !info.Mode().IsRegular(): // a link
			return nil
		case run:
			need = 1
		default:
			need = 4
		}
		if u.has(info, need) || hasAccessList(part) {
			return nil
		}
		if !info.IsDir() {
			part = path
		}
		return &UnreadableError{path, part, info.Mode(), u.Name, u.Group, run}
	})
	var denied *UnreadableError
	if errors.As(err, &denied) {
		return denied
	}
	return nil
}

// has reports whether the mode gives the user a right.
func (u User) has(info fs.FileInfo, need fs.FileMode) bool {
	uid, gid, known := ownersOf(info)
	if !known || u.UID == 0 {
		return true
	}
	mode := info.Mode().Perm()
	switch {
	case uid == u.UID:
		mode >>= 6
	case gid == u.GID || slices.Contains(u.Groups, gid):
		mode >>= 3
	}
	return mode&need == need
}

// A Sandbox is what a unit hides from its service, whatever the modes.
type Sandbox struct{ Home, Temp string } // ProtectHome= and PrivateTmp=

// Hides says what keeps the service from a path; empty if nothing does.
func (s Sandbox) Hides(path string) string {
	const home, tmp = "the service sees no home directories (ProtectHome=", "the service has a folder of its own there (PrivateTmp="
	under := func(folders ...string) bool {
		return slices.ContainsFunc(folders, func(folder string) bool { return strings.HasPrefix(path, folder) })
	}
	switch {
	case under("/home/", "/root/", "/run/user/") && slices.Contains([]string{"yes", "true", "on", "1", "tmpfs"}, s.Home):
		return home + s.Home + ")"
	case under("/tmp/", "/var/tmp/") && slices.Contains([]string{"yes", "true", "on", "1", "disconnected"}, s.Temp):
		return tmp + s.Temp + ")"
	}
	return ""
}
