package socket

import (
	"net"
	"slices"
	"strconv"

	"github.com/providerd/providerd/store/userns"
)

// A Peer is the process at the other end of a connection, as the kernel saw it
// when it connected. Decisions use the user and the groups, never the pid, which may be
// another process by now.
type Peer struct {
	Known    bool // the kernel identified it
	Untold   bool // this system cannot identify peers, so that the socket's mode decides
	AnyUser  bool // UID stands for every user without a number in our user namespace
	AnyGroup bool // the same for GID
	UID      uint32
	GID      uint32
	PID      int      // 0: unknown
	Groups   []uint32 // the supplementary ones, except those without a number here
}

// PeerOf asks the kernel once. A peer that the kernel should have identified and did not
// counts as nobody, who may read.
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

// told marks the ids that stand for nobody in particular. Such groups are dropped, because
// membership in them means nothing.
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

// A Process holds connections. Processes that the kernel does not identify count as one.
//
// All users of other namespaces have the same UID, and so share the limits of one user. They
// are never the daemon's own user or root.
type Process struct {
	Known   bool
	AnyUser bool
	UID     uint32
	PID     int
}

// Process is the process of the peer.
func (p Peer) Process() Process { return Process{p.Known, p.AnyUser, p.UID, p.PID} }

// foreignID replaces in the log the number of a user or group that has none here.
const foreignID = "of another namespace"

// LogArgs are the key-value pairs that identify the caller in the log.
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
