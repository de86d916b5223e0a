// Package userns distinguishes user and group ids that name somebody from those that can
// stand for anybody.
//
// A user namespace has numbers for only some users of the machine. The kernel reports all
// others, as peers of a socket and as owners of files and sockets, by a single id, the
// overflow id: 65534, which is also nobody and nogroup. Such an id means "a user of another
// namespace". It must not be compared with a user's id, not even one's own: a daemon that
// runs as nobody in a container would take every such user for itself.
//
// It imports only the standard library. On other systems than Linux every id is known.
package userns

import (
	"fmt"
	"strings"
)

// everybody is the number of ids; −1 is not an id.
const everybody = 1<<32 - 1

// An idMap says which ids of this process's user namespace name a single user.
type idMap struct {
	complete bool   // every user of the machine has an id here
	overflow uint32 // what the others are reported as
}

// parse reads the text of /proc/PID/uid_map or gid_map: lines with the first id here, the
// first outside, and their number (user_namespaces(7)). The kernel makes sure that they do
// not overlap, and that they map only what the namespace outside maps. A text that cannot be
// parsed counts as an incomplete map.
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

// known reports whether id names a single user. The overflow id can be mapped too while
// others are not: then it is still unknown whose it is.
func (m idMap) known(id uint32) bool {
	return id != everybody && (m.complete || id != m.overflow)
}

// KnownUser reports whether uid names a single user, so that it can be compared with others.
// If not, it stands for a user without a number in this process's user namespace, and two of
// them need not be the same.
func KnownUser(uid uint32) bool { return users().known(uid) }

// KnownGroup is [KnownUser] for a group's id.
func KnownGroup(gid uint32) bool { return groups().known(gid) }
