package client

import (
	"fmt"

	"github.com/providerd/providerd/store/provider"
)

// Variables are inherited: su and sudo -E keep those of the user before. So a path
// that was found through one is used only where no other user has a say in it, and
// whoever answers there is looked at too. A path in Client.Socket is the caller's own
// choice, and used as it is.

// A folder is what a socket was found in.
type folder struct {
	owner  uint32
	closed bool // nobody but its owner may put things into it
}

// A listener is who listens on a socket, as the kernel says of a connection to it.
type listener struct {
	told  bool // some systems do not tell
	known bool // the uid names one user; see package userns
	uid   uint32
}

// nobodyTold is the listener where the kernel should have told and did not.
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

// vouchesFor reports whether the listener may be believed on a socket in the folder,
// which is the caller's, root's or the system's. It has to be one of theirs. Where it
// cannot be told from others, what counts is that nobody but the folder's owner can
// have put the socket there.
func (f folder) vouchesFor(l listener, caller uint32) bool {
	switch {
	case !l.told:
		return f.closed
	case !l.known:
		return f.closed && l.uid == f.owner
	}
	return l.uid == 0 || l.uid == caller || l.uid == f.owner
}

// A foreignError says why a socket is not used: somebody else has a say in it.
type foreignError struct {
	path    string // of the socket
	name    string // the variable that led there; empty: none
	problem string // such as "/run/user/1000 belongs to uid 1000"
	seen    bool   // there is something at the path
}

func (e *foreignError) Error() string { return fmt.Sprintf("%s is not used: %s", e.path, e.problem) }

// hint says what to type next, where the other places hint at something else. Whoever
// cannot even look into the other's folder does not mean what is in it.
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

// explain adds to what the other places gave, if there are any, that one was not used.
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
