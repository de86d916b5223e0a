package control

import (
	"math"
	"strings"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

func TestPolicy(t *testing.T) {
	group := &Group{Name: "providerd", GID: 50}
	nobody := peer{known: true, uid: 1000, gid: 1000}
	for _, tt := range []struct {
		name   string
		policy policy
		peer   peer
		op     operation
		denied bool
	}{
		{"AnybodyReads", policy{owner: 7}, nobody, opRead, false},
		{"AStrangerReads", policy{owner: 7}, peer{}, opRead, false},
		{"Root", policy{owner: 7}, peer{known: true}, opAdmin, false},
		{"TheDaemonsOwnUser", policy{owner: 7}, peer{known: true, uid: 7, gid: 7}, opAdmin, false},
		{"PrimaryGroup", policy{owner: 7, admin: group}, peer{known: true, uid: 1000, gid: 50}, opAdmin, false},
		{"SupplementaryGroup", policy{owner: 7, admin: group}, peer{known: true, uid: 1000, gid: 1000, groups: []uint32{4, 50}}, opAdmin, false},
		{"AnotherUser", policy{owner: 7}, nobody, opAdmin, true},
		{"AnotherGroup", policy{owner: 7, admin: group}, nobody, opAdmin, true},
		{"NoGroupConfigured", policy{owner: 7}, peer{known: true, uid: 1000, gid: 50}, opAdmin, true},
		{"NotToldThoughItShouldBe", policy{owner: 0, admin: &Group{}}, peer{}, opAdmin, true},
		{"TheSystemCannotTell", policy{owner: 7}, peer{untold: true}, opAdmin, false},
		{"TheSystemCannotTellAndAnybodyConnects", policy{owner: 7, shared: true}, peer{untold: true}, opAdmin, true},
		{"TheSystemCannotTellWhoReads", policy{owner: 7, shared: true}, peer{untold: true}, opRead, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if allowed := tt.policy.allows(tt.peer, tt.op); allowed == tt.denied {
				t.Fatalf("allowed %v, want %v", allowed, !tt.denied)
			}
			if !tt.denied {
				return
			}
			err := tt.policy.denied(tt.peer, "read the log", "logs")
			if err.Code != provider.Denied || !strings.HasSuffix(err.Message, "may not read the log") ||
				!strings.Contains(err.Hint, "sudo providerctl logs") {
				t.Errorf("got %+v", err)
			}
			if got := strings.Contains(err.Hint, "usermod -aG providerd"); got != (tt.policy.admin != nil && tt.policy.admin.Name != "") {
				t.Errorf("hint: %s", err.Hint)
			}
		})
	}
}

func TestGate(t *testing.T) {
	user := func(uid uint32) peer { return peer{known: true, uid: uid} }
	fill := func(g *gate, p peer) (n int) {
		for n < 1000 && g.enter(p) {
			n++
		}
		return n
	}
	g := newGate(160, 40, 7) // and 10 kept
	if n := fill(&g, user(1000)); n != 40 {
		t.Errorf("one user gets %d places, want 40", n)
	}
	if n := fill(&g, user(1001)); n != 40 {
		t.Errorf("another gets %d, want 40", n)
	}
	if n := fill(&g, peer{}); n != 70 {
		t.Errorf("those unknown get %d, want what is left but the kept ones: 70", n)
	}
	if n := fill(&g, user(7)); n != 10 {
		t.Errorf("the daemon's user gets %d, want the 10 kept", n)
	}
	if g.enter(user(0)) {
		t.Error("root gets a place that there is not")
	}
	g.leave(user(1000))
	if !g.enter(user(0)) || g.enter(user(1000)) {
		t.Error("a place given back goes to whoever may have it")
	}
}

func TestConns_LeaveFilesForProbes(t *testing.T) {
	for _, tt := range []struct {
		files          uint64
		conns, perUser int
	}{
		{math.MaxUint64, 4096, 1024},
		{524_288, 4096, 1024},
		{10_240, 4096, 1024},
		{9392, 4096, 1024},
		{4096, 1448, 1024},
		{2048, 424, 318},
		{1400, 100, 75},
		{1024, 64, 48},
		{256, 64, 48},
		{100, 25, 18},
	} {
		conns := connsWithin(tt.files)
		if perUser := connsPerUser(conns); conns != tt.conns || perUser != tt.perUser {
			t.Errorf("of %d files %d are for connections, %d of them for one user; want %d and %d",
				tt.files, conns, perUser, tt.conns, tt.perUser)
		}
	}
}
