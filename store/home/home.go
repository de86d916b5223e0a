// Package home finds the home folder of the user that a program runs as, and the number
// of the service's user. The daemon and its clients have to come to the same answer,
// because a client looks there for what the daemon has left, whatever of the environment
// either of them has.
//
// It imports the standard library only, and reads /etc/passwd by itself: os/user links
// libc in a build with cgo, which takes longer to load than a daemon to answer.
package home

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// accounts is where a system has its users. Those of a directory service are not there.
const accounts = "/etc/passwd"

// Folder is the home of the user with the number uid: what the variable HOME names, and
// otherwise, as for a job whose environment is empty, what [OfAccount] does. It is empty
// where there is none.
func Folder(variable string, uid int) string {
	if dir := Named(variable, uid); dir != "" {
		return dir
	}
	return OfAccount(uid)
}

// Named is the home that the value of HOME names: an absolute path, and not "/" but for
// root, because container runtimes set that for a user who is not on the list of accounts.
func Named(variable string, uid int) string {
	if dir := strings.TrimSpace(variable); filepath.IsAbs(dir) && (dir != "/" || uid == 0) {
		return dir
	}
	return ""
}

// OfAccount is the home that the list of accounts gives a user, if that folder is the
// user's; else it is empty.
func OfAccount(uid int) string {
	if uid < 0 { // there are no numbers here
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

// Number is the number that the list of accounts gives the user with a name; −1 if it has
// no such user.
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
