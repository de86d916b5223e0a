package client

import (
	"strings"
	"syscall"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

func TestFolder_VouchesFor(t *testing.T) {
	const caller, system, other, overflow = 1000, 60, 1001, 65_534
	is := func(uid uint32) listener { return listener{told: true, known: true, uid: uid} }
	anybody := listener{told: true, uid: overflow}
	for _, tt := range []struct {
		name     string
		folder   folder
		listener listener
		want     bool
	}{
		{"CallersOwn", folder{owner: caller, closed: true}, is(caller), true},
		{"RootInTheCallers", folder{owner: caller, closed: true}, is(0), true},
		{"CallerInRoots", folder{owner: 0}, is(caller), true},
		{"TheSystems", folder{owner: system, closed: true}, is(system), true},
		{"RootInTheSystems", folder{owner: system, closed: true}, is(0), true},
		{"AnotherInTheCallers", folder{owner: caller, closed: true}, is(other), false},
		{"AnotherInRoots", folder{owner: 0, closed: true}, is(other), false},
		{"AnotherInTheSystems", folder{owner: system, closed: true}, is(other), false},
		{"AnybodyInAFolderOfThatNumber", folder{owner: overflow, closed: true}, anybody, true},
		{"AnybodyWhereOthersMayWrite", folder{owner: overflow}, anybody, false},
		{"AnybodyInTheCallers", folder{owner: caller, closed: true}, anybody, false},
		{"TheService", folder{service: system}, is(system), true},
		{"RootInThePlaceOfTheService", folder{service: system}, is(0), false},
		{"CallerInThePlaceOfTheService", folder{service: system}, is(caller), false},
		{"AnybodyInThePlaceOfTheService", folder{service: overflow}, anybody, false},
		{"NoSystemToTellOfTheService", folder{service: system}, listener{}, false},
		{"NotToldThoughItShouldBe", folder{owner: caller, closed: true}, nobodyTold, false},
		{"NoSystemToTellInAClosedFolder", folder{owner: caller, closed: true}, listener{}, true},
		{"NoSystemToTellWhereOthersMayWrite", folder{owner: 0}, listener{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.folder.vouchesFor(tt.listener, caller); got != tt.want {
				t.Errorf("got %v for %v", got, tt.listener)
			}
		})
	}
}

// What is wrong with the other places is reported before what is not used.
func TestMisses_ExplainWhatIsNotUsed(t *testing.T) {
	stale := miss{path: "/srv/a", err: syscall.ECONNREFUSED}
	foreign := miss{path: "/tmp/x/s", err: &foreignError{path: "/tmp/x/s", name: "TMPDIR", problem: "/tmp/x belongs to uid 7", seen: true}}
	closed := miss{path: "/run/x/s", err: &foreignError{path: "/run/x/s", name: "XDG_RUNTIME_DIR", problem: "/run/x belongs to uid 7"}}
	unnamed := miss{path: "/tmp/x/s", err: &foreignError{path: "/tmp/x/s", problem: "/tmp/x belongs to uid 7", seen: true}}
	for name, tt := range map[string]struct {
		failed        misses
		message, hint string
	}{
		"Alone": {misses{foreign}, "the socket /tmp/x/s is not used: /tmp/x belongs to uid 7",
			"if you mean that daemon: providerctl --socket PATH; else: unset TMPDIR"},
		"BesideOthers": {misses{foreign, stale}, "the daemon is not running: nothing listens at /srv/a any more; the socket /tmp/x/s is not used: /tmp/x belongs to uid 7",
			"start it: providerd; if you mean that daemon: providerctl --socket PATH; else: unset TMPDIR"},
		"BesideOthersInAClosedFolder": {misses{stale, closed}, "the daemon is not running: nothing listens at /srv/a any more; the socket /run/x/s is not used: /run/x belongs to uid 7",
			"unset XDG_RUNTIME_DIR, then start it: providerd; if you mean that daemon: providerctl --socket PATH"},
		"WithoutAVariable": {misses{unnamed}, "the socket /tmp/x/s is not used: /tmp/x belongs to uid 7", "if you mean that daemon: providerctl --socket PATH"},
	} {
		if e := tt.failed.explain(); e.Code != provider.DaemonUnreachable || e.Message != tt.message || e.Hint != tt.hint {
			t.Errorf("%s: got %+v", name, *e)
		}
	}
	twice := misses{foreign, foreign}
	if e := twice.explain(); strings.Count(e.Message, "is not used") != 2 {
		t.Errorf("of two places it says %s", e.Message)
	}
	if got := (misses{foreign}).mayPass(); got {
		t.Error("it is waited for")
	}
}
