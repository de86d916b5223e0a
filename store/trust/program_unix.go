//go:build unix

package trust

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// changeable returns why others can change what is at path, and the command that prevents it.
// Both are empty if they cannot.
func changeable(path string, info fs.FileInfo) (problem, repair string) {
	mode := info.Mode()
	byGroup := os.Geteuid() == 0 && mode.Perm()&0o020 != 0 // or by anybody whom an access control list names
	switch {
	case !trusted(path, info):
		command := "chown root "
		if mode&fs.ModeSymlink != 0 {
			command = "chown -h root "
		}
		return "belongs to " + OwnerOf(info), sudo(path, info) + command + quoted(path)
	case mode&fs.ModeSymlink != 0 || info.IsDir() && mode&fs.ModeSticky != 0:
		return "", ""
	case isOpen(info) && byGroup:
		return foreign(path, info), "chmod go-w " + quoted(path)
	case isOpen(info):
		return foreign(path, info), sudo(path, info) + "chmod o-w " + quoted(path)
	case byGroup:
		return fmt.Sprintf("can be written by group %d (mode %04o)", groupOf(info), mode.Perm()), "chmod g-w " + quoted(path)
	}
	return "", ""
}

// isOpen reports whether everybody can write to a file, or to a folder, sticky or not.
func isOpen(info fs.FileInfo) bool { return info.Mode().Perm()&0o002 != 0 }

func executable(info fs.FileInfo) bool { return info.Mode().Perm()&0o111 != 0 }

func groupOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Gid)
	}
	return -1
}

// sudo is what to type in front of a command that changes what is at path.
func sudo(path string, info fs.FileInfo) string {
	if os.Geteuid() == 0 || HolderOf(path, info) == Us {
		return ""
	}
	return "sudo "
}

// quoted is a path, quoted for a shell.
func quoted(path string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"
	if strings.Trim(path, plain) == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
