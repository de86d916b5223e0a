// Package userns tells a user or group id that names somebody from one that may
// name anybody.
//
// A user namespace has numbers for some users of the machine only. The kernel
// reports all others, be they peers of a socket, owners of files or of other
// sockets, as one id, the overflow id: 65534, which is also nobody and nogroup.
// Such an id says "a user of another namespace". It must not be compared with a
// user's id, one's own included: a daemon that runs as nobody in a container
// would take every such user for itself.
//
// It imports the standard library only. Outside Linux every id is known.
package userns

import (
	"fmt"
	"strings"
)

// everybody is how many ids there are: −1 is none.
const everybody = 1<<32 - 1

// An idMap says which ids of this process's user namespace name one user.
type idMap struct {
	complete bool   // every user of the machine has an id here
	overflow uint32 // what the others are reported as
}

// parse reads the text of /proc/PID/uid_map or gid_map: lines of the first id
// here, the first outside, and how many (user_namespaces(7)). The kernel sees to
// it that they do not overlap, and that none maps what the namespace outside does
// not. A text that cannot be read as that is a map which lacks somebody.
func parse(text string, overflow uint32) idMap {
	var mapped uint64
	for line := range strings.Lines(text) {
		var here, outside, count uint32
		if _, err := fmt.Sscan(line, &here, &outside, &count); err != nil {
			return idMap{overflow: overflow}
		}
		mapped += uint64(count)
	}
	return idMap{complete: mapped >= everybody, overflow: overflow}
}

// known reports whether id names one user. The overflow id may be mapped as well
// where others are not: then it is still not known whose it is.
func (m idMap) known(id uint32) bool {
	return id != everybody && (m.complete || id != m.overflow)
}

// KnownUser reports whether uid is that of one user, so that it can be compared
// with others. If not, it is some user who has no number in this process's user
// namespace, and two of them need not be the same.
func KnownUser(uid uint32) bool { return users().known(uid) }

// KnownGroup is [KnownUser] for a group's id.
func KnownGroup(gid uint32) bool { return groups().known(gid) }
