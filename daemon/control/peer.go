package control

import (
	"net"
	"slices"
	"strconv"

	"github.com/providerd/providerd/store/userns"
)

// A peer is the process at the other end of a connection, as the kernel saw it
// when it connected. Decisions use the user and the groups, never the pid: a pid
// may be another process by now.
type peer struct {
	known    bool // the kernel told
	untold   bool // this system has no way to tell, so that the socket's mode decides
	anyUser  bool // uid is what every user looks like who has no number in our user namespace
	anyGroup bool // the same of gid
	uid      uint32
	gid      uint32
	pid      int // 0: not told
	groups   []uint32
}

// peerOf asks the kernel once. A peer that it should have told and did not is
// nobody, who may read.
func peerOf(nc net.Conn) peer {
	u, ok := nc.(*net.UnixConn)
	if !ok {
		return peer{}
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return peer{}
	}
	var p peer
	if err := raw.Control(func(fd uintptr) { p = credentials(int(fd)) }); err != nil {
		return peer{}
	}
	return p.told(userns.KnownUser, userns.KnownGroup)
}

// told notes which of the ids that the kernel told name nobody in particular. Such
// a group is dropped: to be in it means nothing.
func (p peer) told(knownUser, knownGroup func(uint32) bool) peer {
	if p.known {
		p.anyUser, p.anyGroup = !knownUser(p.uid), !knownGroup(p.gid)
		p.groups = slices.DeleteFunc(p.groups, func(gid uint32) bool { return !knownGroup(gid) })
	}
	return p
}

func (p peer) in(gid uint32) bool {
	return !p.anyGroup && p.gid == gid || slices.Contains(p.groups, gid)
}

// String names the peer for people.
func (p peer) String() string {
	switch {
	case !p.known:
		return "an unknown user"
	case p.anyUser:
		return "a user of another namespace"
	}
	return "uid " + strconv.FormatUint(uint64(p.uid), 10)
}

func (p peer) process() process { return process{p.known, p.anyUser, p.uid, p.pid} }

// elsewhere stands in the log for the number of whoever has none here.
const elsewhere = "of another namespace"

// logArgs are the key-value pairs that tell who asked for a change.
func (p peer) logArgs() []any {
	if !p.known {
		return []any{"uid", "unknown"}
	}
	args := []any{"uid", p.uid, "gid", p.gid, "pid", p.pid}
	if p.anyUser {
		args[1] = elsewhere
	}
	if p.anyGroup {
		args[3] = elsewhere
	}
	return args
}
