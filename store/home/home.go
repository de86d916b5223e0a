// Package home finds the home folder of the user that a program runs as, and the id of the
// service's user. The daemon and its clients must get the same answer, whatever their
// environments, because a client looks there for what the daemon has written.
//
// It imports only the standard library, and reads /etc/passwd itself: in a build with cgo,
// os/user links libc, which takes longer to load than a daemon takes to answer.
package home

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// accounts is the system's list of users, without those of a directory service.
const accounts = "/etc/passwd"

// Folder is the home of the user uid: the value of HOME or, as for a job with an empty
// environment, that of [OfAccount]. It is empty if there is none.
func Folder(variable string, uid int) string {
	if dir := Named(variable, uid); dir != "" {
		return dir
	}
	return OfAccount(uid)
}

// Named is the home in HOME: an absolute path, and "/" only for root, because container
// runtimes set that for a user who is not in the list of accounts.
func Named(variable string, uid int) string {
	if dir := strings.TrimSpace(variable); filepath.IsAbs(dir) && (dir != "/" || uid == 0) {
		return dir
	}
	return ""
}

// OfAccount is a user's home in the list of accounts, if that folder belongs to the user;
// otherwise empty.
func OfAccount(uid int) string {
	if uid < 0 { // there are no ids here
		return ""
	}
	f, err := os.Open(accounts)
	if err != nil {
		return ""
	}
	defer f.Close()
	dir := inAccounts(f, uid)
	if info, err := os.Stat(dir); dir == "" || err != nil || !info.IsDir() || !belongsTo(info, uid) {
		return ""
	}
	return dir
}

// Number is the id of a user by name; −1 if there is no such user.
func Number(name string) int {
	f, err := os.Open(accounts)
	if err != nil {
		return -1
	}
	defer f.Close()
	return numberIn(f, name)
}

// The fields of passwd(5): name, password, uid, gid, comment, home and shell.
const (
	nameField   = 0
	numberField = 2
	homeField   = 5
	fields      = 7
)

func inAccounts(list io.Reader, uid int) string {
	for lines := bufio.NewScanner(list); lines.Scan(); {
		entry := strings.SplitN(lines.Text(), ":", fields)
		if len(entry) > homeField && entry[numberField] == strconv.Itoa(uid) && filepath.IsAbs(entry[homeField]) {
			return filepath.Clean(entry[homeField])
		}
	}
	return ""
}

func numberIn(list io.Reader, name string) int {
	for lines := bufio.NewScanner(list); lines.Scan(); {
		entry := strings.SplitN(lines.Text(), ":", fields)
		if len(entry) <= numberField || entry[nameField] != name {
			continue
		}
		if uid, err := strconv.ParseUint(entry[numberField], 10, 32); err == nil {
			return int(uid)
		}
	}
	return -1
}
