package client

import (
	"fmt"

	"github.com/providerd/providerd/store/provider"
)

// Variables are inherited: su and sudo -E keep those of the previous user. So a path from
// a variable is used only if no other user controls it, and the listener is checked too.
// A path in Client.Socket is the caller's own choice, and used as it is.

// A folder is the folder of a socket.
type folder struct {
	owner  uint32
	closed bool // nobody but its owner may put things into it

	service uint32 // who alone may listen there, the user of the system's service; 0: it does not matter
}

// A listener is who listens on a socket, according to the kernel.
type listener struct {
	told  bool // some systems do not report it
	known bool // the uid names one user; see package userns
	uid   uint32
}

// nobodyTold is the listener if the kernel should have reported it but did not.
var nobodyTold = listener{told: true, uid: 1<<32 - 1}

// String names the listener for people.
func (l listener) String() string {
	switch {
	case !l.told:
		return "an unknown user"
	case !l.known:
		return "a user of another namespace"
	}
	return fmt.Sprintf("uid %d", l.uid)
}

// vouchesFor reports whether the listener can be trusted on a socket in the folder, which
// is the caller's, root's or the system's. The listener has to be one of these. If its
// user is not known, only the folder's owner may be able to create a socket there.
func (f folder) vouchesFor(l listener, caller uint32) bool {
	switch {
	case f.service != 0:
		return l.told && l.known && l.uid == f.service
	case !l.told:
		return f.closed
	case !l.known:
		return f.closed && l.uid == f.owner
	}
	return l.uid == 0 || l.uid == caller || l.uid == f.owner
}

// A foreignError means that a socket is not used because somebody else controls it.
type foreignError struct {
	path    string // of the socket
	name    string // the variable that it is from; empty: none
	problem string // such as "/run/user/1000 belongs to uid 1000"
	seen    bool   // there is something at the path
}

func (e *foreignError) Error() string { return fmt.Sprintf("%s is not used: %s", e.path, e.problem) }

// hint is what to type next, together with the hint of the other places. A caller who
// cannot even look into the folder does not mean what is in it.
func (e *foreignError) hint(others string) string {
	const choose = "if you mean that daemon: providerctl --socket PATH"
	switch {
	case e.name == "":
		return joined(others, choose)
	case !e.seen && others != "":
		return "unset " + e.name + ", then " + others + "; " + choose
	}
	return joined(others, choose+"; else: unset "+e.name)
}

// explain adds this error to that of the other places, if there are any.
func (e *foreignError) explain(others misses) *provider.Error {
	if len(others) == 0 {
		return provider.Errorf(provider.DaemonUnreachable, e.hint(""), "the socket %v", e)
	}
	said := others.explain()
	return provider.Errorf(said.Code, e.hint(said.Hint), "%s; the socket %v", said.Message, e)
}

func joined(hint, more string) string {
	if hint == "" {
		return more
	}
	return hint + "; " + more
}
