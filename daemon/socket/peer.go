package socket

import (
	"net"
	"slices"
	"strconv"

	"github.com/providerd/providerd/store/userns"
)

// A Peer is the process at the other end of a connection, as the kernel saw it
// when it connected. Decisions use the user and the groups, never the pid: a pid
// may be another process by now.
type Peer struct {
	Known    bool // the kernel told
	Untold   bool // this system has no way to tell, so that the socket's mode decides
	AnyUser  bool // UID is what every user looks like who has no number in our user namespace
	AnyGroup bool // the same of GID
	UID      uint32
	GID      uint32
	PID      int      // 0: not told
	Groups   []uint32 // supplementary ones, without those that name no group here
}

// PeerOf asks the kernel once. A peer that it should have told and did not is
// nobody, who may read.
func PeerOf(nc net.Conn) Peer {
	u, ok := nc.(*net.UnixConn)
	if !ok {
		return Peer{}
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return Peer{}
	}
	var p Peer
	if err := raw.Control(func(fd uintptr) { p = credentials(int(fd)) }); err != nil {
		return Peer{}
	}
	return p.told(userns.KnownUser, userns.KnownGroup)
}

// told notes which of the ids that the kernel told name nobody in particular. Such
// a group is dropped: to be in it means nothing.
func (p Peer) told(knownUser, knownGroup func(uint32) bool) Peer {
	if p.Known {
		p.AnyUser, p.AnyGroup = !knownUser(p.UID), !knownGroup(p.GID)
		p.Groups = slices.DeleteFunc(p.Groups, func(gid uint32) bool { return !knownGroup(gid) })
	}
	return p
}

// In reports whether the peer is in a group, by its primary or a supplementary one.
func (p Peer) In(gid uint32) bool {
	return !p.AnyGroup && p.GID == gid || slices.Contains(p.Groups, gid)
}

// String names the peer for people.
func (p Peer) String() string {
	switch {
	case !p.Known:
		return "an unknown user"
	case p.AnyUser:
		return "a user of another namespace"
	}
	return "uid " + strconv.FormatUint(uint64(p.UID), 10)
}

// A Process is who holds connections. Those that the kernel tells nothing of are one.
//
// All users of other namespaces have the same UID, and so share what one may have;
// they are never the daemon's own user or root.
type Process struct {
	Known   bool
	AnyUser bool
	UID     uint32
	PID     int
}

// Process is the peer's.
func (p Peer) Process() Process { return Process{p.Known, p.AnyUser, p.UID, p.PID} }

// foreignID stands in the log for the number of whoever has none here.
const foreignID = "of another namespace"

// LogArgs are the key-value pairs that tell who asked for a change.
func (p Peer) LogArgs() []any {
	if !p.Known {
		return []any{"uid", "unknown"}
	}
	args := []any{"uid", p.UID, "gid", p.GID, "pid", p.PID}
	if p.AnyUser {
		args[1] = foreignID
	}
	if p.AnyGroup {
		args[3] = foreignID
	}
	return args
}
