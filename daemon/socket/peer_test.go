package socket

import (
	"slices"
	"testing"
)

// Ids that name nobody in particular are marked, and such groups dropped: as a primary group, as a
// supplementary one, and if the kernel said nothing at all.
func TestPeer_Told(t *testing.T) {
	named := func(id uint32) bool { return id != 65_534 }
	for _, tt := range []struct {
		name      string
		told      Peer
		anyUser   bool
		members   []uint32
		strangers []uint32
		logged    []any
	}{
		{"OneUser", Peer{Known: true, UID: 1000, GID: 100, PID: 1, Groups: []uint32{4}}, false, []uint32{100, 4}, []uint32{65_534},
			[]any{"uid", uint32(1000), "gid", uint32(100), "pid", 1}},
		{"AnyUser", Peer{Known: true, UID: 65_534, GID: 65_534, PID: 1, Groups: []uint32{4, 65_534}}, true, []uint32{4}, []uint32{65_534},
			[]any{"uid", foreignID, "gid", foreignID, "pid", 1}},
		{"OneUserInAnyGroup", Peer{Known: true, UID: 1000, GID: 100, Groups: []uint32{65_534, 5, 65_534}}, false, []uint32{100, 5}, []uint32{65_534},
			[]any{"uid", uint32(1000), "gid", uint32(100), "pid", 0}},
		{"NotTold", Peer{}, false, nil, nil, []any{"uid", "unknown"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := tt.told.told(named, named)
			if p.AnyUser != tt.anyUser {
				t.Errorf("any user: %v", p.AnyUser)
			}
			for _, gid := range tt.members {
				if !p.In(gid) {
					t.Errorf("not in group %d", gid)
				}
			}
			for _, gid := range tt.strangers {
				if p.In(gid) {
					t.Errorf("in group %d", gid)
				}
			}
			if got := p.LogArgs(); !slices.Equal(got, tt.logged) {
				t.Errorf("logged as %v, want %v", got, tt.logged)
			}
		})
	}
}
