package control

import (
	"testing"

	"github.com/providerd/providerd/daemon/socket"
	"github.com/providerd/providerd/store/provider"
)

// Everybody is told who they are and what they may; lines of the configuration and the
// paths of keys are for administrators.
func TestCompleteSetup(t *testing.T) {
	for _, tt := range []struct {
		name  string
		peer  socket.Peer
		told  bool // by its number
		admin bool
		hint  string
	}{
		{"TheDaemonsUser", socket.Peer{Known: true, UID: 7}, true, true, ""},
		{"Root", socket.Peer{Known: true}, true, true, ""},
		{"TheGroup", socket.Peer{Known: true, UID: 1000, Groups: []uint32{50}}, true, true, ""},
		{"SomebodyElse", socket.Peer{Known: true, UID: 1000}, true, false,
			"sudo providerctl …; or join its administrators, then log in again: sudo usermod -aG admins $USER"},
		{"AUserOfAnotherNamespace", socket.Peer{Known: true, AnyUser: true, UID: 7}, false, false,
			"as root inside the daemon's own namespace or container: sudo providerctl …"},
		{"WhoeverIsNotTold", socket.Peer{Untold: true}, false, false,
			"sudo providerctl …; or join its administrators, then log in again: sudo usermod -aG admins $USER"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &Server{owner: 7, shared: true}
			s.SetAdmin(&Group{Name: "admins", GID: 50})
			setup := &provider.Setup{
				Config: provider.ConfigInForce{Faults: 1, Problems: []provider.ConfigProblem{{Message: "m"}}},
				Keys:   []provider.KeyInUse{{ID: "a", Source: "file /etc/x"}, {ID: "b", Source: "env X"}},
			}
			s.completeSetup(setup, &call{conn: &conn{peer: tt.peer}})
			if c := setup.Caller; (c.UID != nil) != tt.told || c.Admin != tt.admin || c.Hint != tt.hint {
				t.Errorf("caller %+v", c)
			}
			if setup.AdminGroup != "admins" || setup.Config.Faults != 1 || setup.Keys[1].Source != "env X" {
				t.Errorf("%+v", setup)
			}
			if got := setup.Config.Problems != nil; got != tt.admin {
				t.Errorf("lines of the configuration are shown: %v", got)
			}
			if got := setup.Keys[0].Source == "file /etc/x"; got != tt.admin {
				t.Errorf("the path of a key is shown: %v", got)
			}
		})
	}
	new(Server).completeSetup(nil, nil) // of a daemon that says nothing
}
