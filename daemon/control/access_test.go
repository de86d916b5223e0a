package control

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/scarce"
	"github.com/providerd/providerd/daemon/socket"
	"github.com/providerd/providerd/store/provider"
)

func TestPolicy(t *testing.T) {
	group := &Group{Name: "providerd", GID: 50}
	nobody := socket.Peer{Known: true, UID: 1000, GID: 1000}
	for _, tt := range []struct {
		name   string
		policy policy
		peer   socket.Peer
		op     operation
		denied bool
	}{
		{"AnybodyReads", policy{owner: 7}, nobody, opRead, false},
		{"AStrangerReads", policy{owner: 7}, socket.Peer{}, opRead, false},
		{"Root", policy{owner: 7}, socket.Peer{Known: true}, opAdmin, false},
		{"TheDaemonsOwnUser", policy{owner: 7}, socket.Peer{Known: true, UID: 7, GID: 7}, opAdmin, false},
		{"PrimaryGroup", policy{owner: 7, admin: group}, socket.Peer{Known: true, UID: 1000, GID: 50}, opAdmin, false},
		{"SupplementaryGroup", policy{owner: 7, admin: group}, socket.Peer{Known: true, UID: 1000, GID: 1000, Groups: []uint32{4, 50}}, opAdmin, false},
		{"AnotherUser", policy{owner: 7}, nobody, opAdmin, true},
		{"AnotherGroup", policy{owner: 7, admin: group}, nobody, opAdmin, true},
		{"NoGroupConfigured", policy{owner: 7}, socket.Peer{Known: true, UID: 1000, GID: 50}, opAdmin, true},
		{"NotToldThoughItShouldBe", policy{owner: 0, admin: &Group{}}, socket.Peer{}, opAdmin, true},
		{"TheSystemCannotTell", policy{owner: 7}, socket.Peer{Untold: true}, opAdmin, false},
		{"TheSystemCannotTellAndAnybodyConnects", policy{owner: 7, shared: true}, socket.Peer{Untold: true}, opAdmin, true},
		{"AnybodyIsNotTheDaemonsOwnUser", policy{owner: 65_534}, socket.Peer{Known: true, AnyUser: true, UID: 65_534, GID: 1000}, opAdmin, true},
		{"NorRootWhereThatIsTheOverflow", policy{owner: 7}, socket.Peer{Known: true, AnyUser: true, UID: 0}, opAdmin, true},
		{"NorInTheGroup", policy{owner: 7, admin: group}, socket.Peer{Known: true, AnyUser: true, UID: 65_534, GID: 50}, opAdmin, true},
		{"AnybodyReadsThough", policy{owner: 65_534}, socket.Peer{Known: true, AnyUser: true, UID: 65_534}, opRead, false},
		{"AnyGroupIsNotTheAdmins", policy{owner: 7, admin: &Group{GID: 65_534}}, socket.Peer{Known: true, AnyGroup: true, UID: 1000, GID: 65_534}, opAdmin, true},
		{"TheSystemCannotTellWhoReads", policy{owner: 7, shared: true}, socket.Peer{Untold: true}, opRead, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if allowed := tt.policy.allows(tt.peer, tt.op); allowed == tt.denied {
				t.Fatalf("allowed %v, want %v", allowed, !tt.denied)
			}
			if !tt.denied {
				return
			}
			err := tt.policy.denied(tt.peer, "read the log", "providerctl logs")
			if err.Code != provider.Denied || !strings.HasSuffix(err.Message, "may not read the log") ||
				!strings.Contains(err.Hint, "sudo providerctl logs") {
				t.Errorf("got %+v", err)
			}
			if got := strings.Contains(err.Hint, "usermod -aG providerd"); got != (tt.policy.admin != nil && tt.policy.admin.Name != "" && !tt.peer.AnyUser) {
				t.Errorf("hint: %s", err.Hint)
			}
			if got := strings.Contains(err.Message, "a user of another namespace"); got != tt.peer.AnyUser {
				t.Errorf("message: %s", err.Message)
			}
		})
	}
}

// fill admits connections of p as long as nobody loses a place.
func fill(g *gate, p socket.Peer) (in []*conn) {
	for len(in) < 1000 {
		c := &conn{peer: p}
		if g.total >= g.max || !g.isTrusted(p.Process()) && g.total >= g.max-g.kept {
			return in
		}
		if evicted, ok := g.enter(c); !ok || evicted != nil {
			return in
		}
		in = append(in, c)
	}
	return in
}

func TestGate(t *testing.T) {
	user := func(uid uint32) socket.Peer { return socket.Peer{Known: true, UID: uid} }
	g := newGate(160, 40, 7) // and 10 kept
	first := fill(&g, user(1000))
	if n := len(first); n != 40 {
		t.Errorf("one user gets %d places, want 40", n)
	}
	if n := len(fill(&g, user(1001))); n != 40 {
		t.Errorf("another gets %d, want 40", n)
	}
	if n := len(fill(&g, socket.Peer{})); n != 70 {
		t.Errorf("those unknown get %d, want what is left but the kept ones: 70", n)
	}
	if n := len(fill(&g, user(7))); n != 10 {
		t.Errorf("the daemon's user gets %d, want the 10 kept", n)
	}
	g.leave(first[0])
	g.leave(first[0]) // only once
	if g.total != 159 {
		t.Errorf("%d places are taken, want 159", g.total)
	}
}

// Users of other namespaces are one user to the gate, even if that has the number of the
// daemon's own user or of root.
func TestGate_UsersOfOtherNamespacesShareOneQuota(t *testing.T) {
	for _, uid := range []uint32{65_534, 0} {
		g := newGate(160, 40, 65_534)
		for pid := range 4 {
			fill(&g, socket.Peer{Known: true, AnyUser: true, UID: uid, PID: pid})
		}
		if g.total != 40 {
			t.Errorf("those that look like %d get %d places, want 40 together", uid, g.total)
		}
	}
}

func TestGate_TheGreediestProcessMakesRoom(t *testing.T) {
	of := func(uid uint32, pid int) socket.Peer { return socket.Peer{Known: true, UID: uid, PID: pid} }
	for _, tt := range []struct {
		name    string
		fillers []socket.Peer
		comer   socket.Peer
		victims []socket.Peer // any of them; none: the comer is refused
	}{
		{"OfTheSameUser", []socket.Peer{of(1000, 1)}, of(1000, 2), []socket.Peer{of(1000, 1)}},
		{"AndNotItself", []socket.Peer{of(1000, 1)}, of(1000, 1), nil},
		{"NotOfAnotherUserWhenOwnIsAtTheBound", []socket.Peer{of(1000, 1), of(1001, 1)}, of(1001, 2), []socket.Peer{of(1001, 1)}},
		{"OfAnotherUserWhenAllIsTaken", []socket.Peer{of(1000, 1), of(1001, 1), of(1002, 1), of(1003, 1)}, of(1004, 1), []socket.Peer{of(1000, 1), of(1001, 1), of(1002, 1)}},
		{"OfTheDaemonsOwnUser", []socket.Peer{of(7, 1)}, of(7, 2), []socket.Peer{of(7, 1)}},
		{"OfThoseTrustedForNobodyElse", []socket.Peer{of(7, 1)}, of(1000, 1), nil},
		{"OfAnybodyForRoot", []socket.Peer{of(1000, 1), of(1001, 1), of(1002, 1), of(1003, 1), of(7, 1)}, of(0, 1), []socket.Peer{of(1000, 1), of(1001, 1), of(1002, 1)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGate(160, 40, 7)
			for i, p := range tt.fillers {
				for j, c := range fill(&g, p) {
					c.since.Store(int64(1000*i + j + 1))
				}
			}
			before := g.total
			evicted, ok := g.enter(&conn{peer: tt.comer})
			if tt.victims == nil {
				if ok || evicted != nil {
					t.Errorf("it has a place, of %+v", evicted)
				}
				return
			}
			if !ok || evicted == nil || g.total != before {
				t.Fatalf("in %v, evicted %+v, %d places taken", ok, evicted, g.total)
			}
			if !slices.ContainsFunc(tt.victims, func(p socket.Peer) bool { return p.Process() == evicted.peer.Process() }) {
				t.Errorf("%+v has to go, want one of %+v", evicted.peer, tt.victims)
			}
			if evicted.since.Load()%1000 != 1 {
				t.Errorf("it is number %d, want the one that was silent for the longest", evicted.since.Load())
			}
		})
	}
}

// Two processes that want more than everything end up with half of it each.
func TestGate_PlacesDoNotGoToAndFro(t *testing.T) {
	g := newGate(160, 40, 7)
	a, b := socket.Peer{Known: true, UID: 1000, PID: 1}, socket.Peer{Known: true, UID: 1000, PID: 2}
	fill(&g, a)
	for range 100 {
		g.enter(&conn{peer: b})
		g.enter(&conn{peer: a})
	}
	if x, y := g.held(a.Process()), g.held(b.Process()); x+y != 40 || max(x, y)-min(x, y) > 1 {
		t.Errorf("they have %d and %d", x, y)
	}
	if evicted, ok := g.enter(&conn{peer: a}); ok || evicted != nil {
		t.Errorf("one still takes a place from the other")
	}
}

func TestGate_OneThatWaitsForItsReplyGoesLast(t *testing.T) {
	g := newGate(160, 40, 7)
	busy := fill(&g, socket.Peer{Known: true, UID: 1000, PID: 1})
	for i, c := range busy {
		c.since.Store(int64(i))
		c.replying.Store(i != 20)
	}
	for _, want := range []*conn{busy[20], busy[0]} {
		if evicted, _ := g.enter(&conn{peer: socket.Peer{Known: true, UID: 1000, PID: 2}}); evicted != want {
			t.Errorf("number %d goes, want %d", evicted.since.Load(), want.since.Load())
		}
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
		conns := scarce.Deal(tt.files).Conns
		if perUser := connsPerUser(conns); conns != tt.conns || perUser != tt.perUser {
			t.Errorf("of %d files %d are for connections, %d of them for one user; want %d and %d",
				tt.files, conns, perUser, tt.conns, tt.perUser)
		}
	}
}
