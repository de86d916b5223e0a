package control

import (
	"net"
	"strconv"
)

// A peer is the process at the other end of a connection, as the kernel saw it
// when it connected. Decisions use the user and the groups, never the pid: a pid
// may be another process by now.
type peer struct {
	known  bool // the kernel told
	untold bool // this system has no way to tell, so that the socket's mode decides
	uid    uint32
	gid    uint32
	pid    int // 0: not told
	groups []uint32
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
	return p
}

// String names the peer for people.
func (p peer) String() string {
	if !p.known {
		return "an unknown user"
	}
	return "uid " + strconv.FormatUint(uint64(p.uid), 10)
}

func (p peer) in(gid uint32) bool {
	if p.gid == gid {
		return true
	}
	for _, g := range p.groups {
		if g == gid {
			return true
		}
	}
	return false
}

func (p peer) process() process { return process{p.known, p.uid, p.pid} }

// logArgs are the key-value pairs that tell who asked for a change.
func (p peer) logArgs() []any {
	if !p.known {
		return []any{"uid", "unknown"}
	}
	return []any{"uid", p.uid, "gid", p.gid, "pid", p.pid}
}
