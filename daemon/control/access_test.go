package control

import (
	"math"
	"slices"
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
		{"AnybodyIsNotTheDaemonsOwnUser", policy{owner: 65_534}, peer{known: true, anyUser: true, uid: 65_534, gid: 1000}, opAdmin, true},
		{"NorRootWhereThatIsTheOverflow", policy{owner: 7}, peer{known: true, anyUser: true, uid: 0}, opAdmin, true},
		{"NorInTheGroup", policy{owner: 7, admin: group}, peer{known: true, anyUser: true, uid: 65_534, gid: 50}, opAdmin, true},
		{"AnybodyReadsThough", policy{owner: 65_534}, peer{known: true, anyUser: true, uid: 65_534}, opRead, false},
		{"AnyGroupIsNotTheAdmins", policy{owner: 7, admin: &Group{GID: 65_534}}, peer{known: true, anyGroup: true, uid: 1000, gid: 65_534}, opAdmin, true},
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
			if got := strings.Contains(err.Hint, "usermod -aG providerd"); got != (tt.policy.admin != nil && tt.policy.admin.Name != "" && !tt.peer.anyUser) {
				t.Errorf("hint: %s", err.Hint)
			}
			if got := strings.Contains(err.Message, "a user of another namespace"); got != tt.peer.anyUser {
				t.Errorf("message: %s", err.Message)
			}
		})
	}
}

// Ids that name nobody are noted, and groups among them dropped: as a primary group,
// as a supplementary one, and where the kernel told nothing at all.
func TestPeer_Told(t *testing.T) {
	named := func(id uint32) bool { return id != 65_534 }
	for _, tt := range []struct {
		name      string
		told      peer
		anyUser   bool
		members   []uint32
		strangers []uint32
		logged    []any
	}{
		{"OneUser", peer{known: true, uid: 1000, gid: 100, pid: 1, groups: []uint32{4}}, false, []uint32{100, 4}, []uint32{65_534},
			[]any{"uid", uint32(1000), "gid", uint32(100), "pid", 1}},
		{"AnyUser", peer{known: true, uid: 65_534, gid: 65_534, pid: 1, groups: []uint32{4, 65_534}}, true, []uint32{4}, []uint32{65_534},
			[]any{"uid", elsewhere, "gid", elsewhere, "pid", 1}},
		{"OneUserInAnyGroup", peer{known: true, uid: 1000, gid: 100, groups: []uint32{65_534, 5, 65_534}}, false, []uint32{100, 5}, []uint32{65_534},
			[]any{"uid", uint32(1000), "gid", uint32(100), "pid", 0}},
		{"NotTold", peer{}, false, nil, nil, []any{"uid", "unknown"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := tt.told.told(named, named)
			if p.anyUser != tt.anyUser {
				t.Errorf("any user: %v", p.anyUser)
			}
			for _, gid := range tt.members {
				if !p.in(gid) {
					t.Errorf("not in group %d", gid)
				}
			}
			for _, gid := range tt.strangers {
				if p.in(gid) {
					t.Errorf("in group %d", gid)
				}
			}
			if got := p.logArgs(); !slices.Equal(got, tt.logged) {
				t.Errorf("logged as %v, want %v", got, tt.logged)
			}
		})
	}
}

// fill lets connections of p in for as long as nobody loses a place by it.
func fill(g *gate, p peer) (in []*conn) {
	for len(in) < 1000 {
		c := &conn{peer: p}
		if g.total >= g.max || !g.isTrusted(p.process()) && g.total >= g.max-g.kept {
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
	user := func(uid uint32) peer { return peer{known: true, uid: uid} }
	g := newGate(160, 40, 7) // and 10 kept
	first := fill(&g, user(1000))
	if n := len(first); n != 40 {
		t.Errorf("one user gets %d places, want 40", n)
	}
	if n := len(fill(&g, user(1001))); n != 40 {
		t.Errorf("another gets %d, want 40", n)
	}
	if n := len(fill(&g, peer{})); n != 70 {
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

// Users of other namespaces are one user to the gate, even where that has the number
// of the daemon's own or of root.
func TestGate_UsersOfOtherNamespacesShareOneQuota(t *testing.T) {
	for _, uid := range []uint32{65_534, 0} {
		g := newGate(160, 40, 65_534)
		for pid := range 4 {
			fill(&g, peer{known: true, anyUser: true, uid: uid, pid: pid})
		}
		if g.total != 40 {
			t.Errorf("those that look like %d get %d places, want 40 together", uid, g.total)
		}
	}
}

func TestGate_TheGreediestProcessMakesRoom(t *testing.T) {
	of := func(uid uint32, pid int) peer { return peer{known: true, uid: uid, pid: pid} }
	for _, tt := range []struct {
		name    string
		fillers []peer
		comer   peer
		victims []peer // any of them; none: the comer is refused
	}{
		{"OfTheSameUser", []peer{of(1000, 1)}, of(1000, 2), []peer{of(1000, 1)}},
		{"AndNotItself", []peer{of(1000, 1)}, of(1000, 1), nil},
		{"NotOfAnotherUserWhenOwnIsAtTheBound", []peer{of(1000, 1), of(1001, 1)}, of(1001, 2), []peer{of(1001, 1)}},
		{"OfAnotherUserWhenAllIsTaken", []peer{of(1000, 1), of(1001, 1), of(1002, 1), of(1003, 1)}, of(1004, 1), []peer{of(1000, 1), of(1001, 1), of(1002, 1)}},
		{"OfTheDaemonsOwnUser", []peer{of(7, 1)}, of(7, 2), []peer{of(7, 1)}},
		{"OfThoseTrustedForNobodyElse", []peer{of(7, 1)}, of(1000, 1), nil},
		{"OfAnybodyForRoot", []peer{of(1000, 1), of(1001, 1), of(1002, 1), of(1003, 1), of(7, 1)}, of(0, 1), []peer{of(1000, 1), of(1001, 1), of(1002, 1)}},
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
			if !slices.ContainsFunc(tt.victims, func(p peer) bool { return p.process() == evicted.peer.process() }) {
				t.Errorf("%+v has to go, want one of %+v", evicted.peer, tt.victims)
			}
			if evicted.since.Load()%1000 != 1 {
				t.Errorf("it is number %d, want the one that was silent for the longest", evicted.since.Load())
			}
		})
	}
}

// Two processes that want more than there is come to rest with half of it each.
func TestGate_PlacesDoNotGoToAndFro(t *testing.T) {
	g := newGate(160, 40, 7)
	a, b := peer{known: true, uid: 1000, pid: 1}, peer{known: true, uid: 1000, pid: 2}
	fill(&g, a)
	for range 100 {
		g.enter(&conn{peer: b})
		g.enter(&conn{peer: a})
	}
	if x, y := g.held(a.process()), g.held(b.process()); x+y != 40 || max(x, y)-min(x, y) > 1 {
		t.Errorf("they have %d and %d", x, y)
	}
	if evicted, ok := g.enter(&conn{peer: a}); ok || evicted != nil {
		t.Errorf("one still takes a place from the other")
	}
}

func TestGate_OneThatWaitsForItsReplyGoesLast(t *testing.T) {
	g := newGate(160, 40, 7)
	busy := fill(&g, peer{known: true, uid: 1000, pid: 1})
	for i, c := range busy {
		c.since.Store(int64(i))
		c.replying.Store(i != 20)
	}
	for _, want := range []*conn{busy[20], busy[0]} {
		if evicted, _ := g.enter(&conn{peer: peer{known: true, uid: 1000, pid: 2}}); evicted != want {
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
		conns := connsWithin(tt.files)
		if perUser := connsPerUser(conns); conns != tt.conns || perUser != tt.perUser {
			t.Errorf("of %d files %d are for connections, %d of them for one user; want %d and %d",
				tt.files, conns, perUser, tt.conns, tt.perUser)
		}
	}
}
