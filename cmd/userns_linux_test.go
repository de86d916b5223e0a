package cmd_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// overflow is the number that the kernel reports for a user without one in a user
// namespace; it is also that of nobody.
const overflow = 65_534

// An idMap is a user namespace's, of users and groups alike.
type idMap []syscall.SysProcIDMap

// become makes cmd run as a user of a new user namespace.
func (m idMap) become(uid uint32) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags: syscall.CLONE_NEWUSER, UidMappings: m, GidMappings: m, GidMappingsEnableSetgroups: true,
			Credential: &syscall.Credential{Uid: uid, Gid: uid},
		}
	}
}

// An outsider is a user of this namespace, and how the daemon's namespace sees them.
type outsider struct {
	user user
	is   string
}

// A daemon runs as nobody in a user namespace, as in a container with "USER nobody". A user
// who is not mapped there has the numbers of its user and its group, but is neither its
// user nor one of its administrators.
func TestDoors_AUserOfAnotherNamespaceIsNoAdministrator(t *testing.T) {
	needRoot(t)
	const pause = "POST /api/providers/a/pause"
	for _, tt := range []struct {
		name    string
		ids     idMap
		outside []outsider
		admins  []uint32
	}{
		{
			"RootAndNobodyMapped", idMap{{Size: 1}, {ContainerID: 1000, HostID: readerUID, Size: 1}, {ContainerID: overflow, HostID: daemonUID, Size: 1}},
			[]outsider{
				{user{uid: otherUID, gid: otherUID}, "a user of another namespace"},
				{user{uid: otherUID, gid: readerUID}, "a user of another namespace"},
				{user{uid: daemonUID, gid: daemonUID}, "a user of another namespace"}, // it could be anybody
				{user{uid: readerUID, gid: otherUID}, "uid 1000"},
			},
			[]uint32{0},
		},
		{
			"RootlessContainer", idMap{{HostID: 100_000, Size: 65_536}},
			[]outsider{
				{user{uid: otherUID, gid: otherUID}, "a user of another namespace"},
				{user{uid: 0, gid: 0}, "a user of another namespace"},
				{user{uid: 165_534, gid: 165_534}, "a user of another namespace"},
				{user{uid: 101_000, gid: otherUID}, "uid 1000"},
			},
			[]uint32{100_000},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			owner := uint32(tt.ids[len(tt.ids)-1].HostID)
			if len(tt.ids) == 1 {
				owner += overflow
			}
			p := newProcessOf(t, alone(owner), fmt.Sprintf("[daemon]\nadmin_group = \"%d\"\n[[provider]]\nid = \"a\"\nkind = \"http\"\nbase_url = \"http://127.0.0.1:1\"\n", overflow))
			p.system = true
			p.as = tt.ids.become(overflow)
			p.start()
			for _, who := range tt.outside {
				got := ask[[]answer](t, who.user, "ask", asking{p.socket, requestsOf([]string{"GET /api/providers/status", pause, "GET /api/daemon/log"})})
				if got[0].Status != http.StatusOK {
					t.Errorf("%+v may not read: %+v", who.user, got[0])
				}
				for i, may := range []string{"may not pause a", "may not read the log"} {
					if a := got[i+1]; a.Status != http.StatusForbidden || !strings.Contains(a.Body, "access denied: "+who.is+" "+may) {
						t.Errorf("%+v is answered %+v, want that %s %s", who.user, a, who.is, may)
					}
				}
			}
			for _, who := range tt.admins {
				if got := ask[[]answer](t, alone(who), "ask", asking{p.socket, requestsOf([]string{pause})}); got[0].Status != http.StatusOK {
					t.Errorf("uid %d may not pause: %+v", who, got[0])
				}
			}
			for _, says := range []string{"run it as another user", "use another group"} {
				if !strings.Contains(p.log.String(), says) {
					t.Errorf("the log does not say %q", says)
				}
			}
		})
	}
}

// If everybody has a number, that of nobody is like any other.
func TestDoors_NobodyIsItselfWhereEverybodyIsMapped(t *testing.T) {
	needRoot(t)
	p := newProcessOf(t, alone(overflow), "[[provider]]\nid = \"a\"\nkind = \"http\"\nbase_url = \"http://127.0.0.1:1\"\n")
	p.system = true
	p.start()
	var row provider.Status
	got := ask[[]answer](t, alone(overflow), "ask", asking{p.socket, requestsOf([]string{"POST /api/providers/a/pause"})})
	if p.do("GET", "/api/providers/a", &row); got[0].Status != http.StatusOK || !row.Paused {
		t.Errorf("it may not pause its own: %+v", got)
	}
}

// A file of a user who is not mapped is not the daemon's own, though it shows the same
// number; the daemon's own files are.
func TestDoors_AFolderOfAnotherNamespaceIsNotOurs(t *testing.T) {
	needRoot(t)
	for _, folder := range []string{"state", "run"} {
		t.Run(folder, func(t *testing.T) {
			p := newProcessOf(t, alone(daemonUID), "[[provider]]\nid = \"a\"\nkind = \"http\"\nbase_url = \"http://127.0.0.1:1\"\n")
			p.as = idMap{{Size: 1}, {ContainerID: overflow, HostID: daemonUID, Size: 1}}.become(overflow)
			p.start().kill()
			name := filepath.Join(p.dir, folder)
			chown(t, name, otherUID)
			if err := os.Chmod(name, 0o777|os.ModeSticky); err != nil { // it could be used
				t.Fatal(err)
			}
			p.mustNotStart(false, "belongs to a user of another namespace")
		})
	}
}
