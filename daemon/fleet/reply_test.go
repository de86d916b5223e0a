package fleet_test

import (
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/fleet/wire"
)

// Members with another fleet's key share nothing, and each side says so.
func TestFleet_NamesTheMembersWithAnotherKey(t *testing.T) {
	inLab(t, 2, 1, func(l *lab) {
		odd := l.boot("odd", func(f *config.Fleet) { f.Key = []byte(strings.Repeat("k", config.FleetKeySize)) })
		l.store.set(wire.Members+"older", wire.EncodeMember(wire.Member{Host: "h"})[0]) // says nothing about its key
		time.Sleep(10 * time.Second)
		for _, m := range l.alive() {
			r := m.engine.Fleet()
			if len(r.Members) != 4 {
				t.Fatalf("%s knows %+v", m.name, r.Members)
			}
			for _, other := range r.Members {
				want := other.Member != "older" && (m == odd) != (other.Member == "odd")
				if other.OtherKey != want {
					t.Errorf("%s says of %s: other key: %v", m.name, other.Member, other.OtherKey)
				}
			}
		}
	})
}

// What to do about another machine's server is said without its address, if that is not known.
func TestFleet_HintsWithoutAnAddress(t *testing.T) {
	inLab(t, 2, 1, func(l *lab) {
		l.store.set(wire.Members+"gpu9", wire.EncodeMember(wire.Member{Host: "gpu9"})[0])
		l.store.set(wire.Hosts+"gpu9", []byte(`{"servers":[{"id":"a","kind":"ollama","type":"local","state":"STOPPED","reason":"connection_refused"},`+
			`{"id":"b","kind":"ollama","type":"local","state":"STOPPED","reason":"connection_refused","endpoint":"http://gpu9:1"}]}`))
		time.Sleep(time.Second)
		for _, h := range l.machines[0].engine.Fleet().Hosts {
			for _, r := range h.Providers {
				if want := map[string]string{"a": "nothing listens at its address:", "b": "nothing listens at http://gpu9:1:"}[r.ID]; h.Member == "gpu9" && !strings.Contains(r.Hint, want) {
					t.Errorf("%s: %q lacks %q", r.ID, r.Hint, want)
				}
			}
			if h.Member == "gpu9" {
				return
			}
		}
		t.Error("gpu9 is not known")
	})
}
