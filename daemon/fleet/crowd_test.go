package fleet_test

import (
	"crypto/sha256"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/store/provider"
)

// members checks which machines of the lab a machine knows as members that list the provider.
func (m *machine) members(all ...*machine) {
	m.Helper()
	f := m.engine.Fleet()
	known := map[string]bool{}
	for _, is := range f.Members {
		known[is.Member] = true
	}
	for _, other := range all {
		if !known[other.name] {
			m.Errorf("%s does not know %s", m.name, other.name)
		}
	}
	if n := f.Shared[0].Members; n < len(all) {
		m.Errorf("%s: %d members list the provider, want %d at least", m.name, n, len(all))
	}
}

// rereads makes a machine read all keys again.
func (m *machine) rereads() {
	m.configure(m.cfg, m.providers[:1])
	time.Sleep(time.Second)
	m.configure(m.cfg, m.providers)
	time.Sleep(time.Second)
}

// A member that makes up names, and what they list, does not push out those that were there.
func TestEngine_ACrowdOfNamesDoesNotPushOutMembers(t *testing.T) {
	inLab(t, 3, 2, func(l *lab) {
		tags := make([]wire.Tag, 200)
		for n := range tags {
			sum := sha256.Sum256(fmt.Append(nil, n))
			tags[n] = wire.Tag(sum[:12])
		}
		value := wire.EncodeMember(wire.Member{Host: "h", Version: "1", Tags: tags})[0]
		for n := range 1100 {
			l.store.set(fmt.Sprint(wire.Hosts, "0host", n), []byte(`{"servers":[]}`))
			l.store.set(fmt.Sprint(wire.Members, "0name", n), value)
			for part := range 3 {
				l.store.set(wire.PartKey(fmt.Sprint("0name", n), part), value)
			}
		}
		time.Sleep(5 * time.Second)
		known := append([]*machine{}, l.machines...)
		for _, m := range known {
			m.members(known...)
			m.rereads()
		}
		cut := known[1]
		cut.bus.setCut(true)
		time.Sleep(time.Minute)
		cut.bus.setCut(false)
		time.Sleep(30 * time.Second)
		late := l.boot("late", nil)
		time.Sleep(10 * time.Second)
		cut.members(known...)
		known[0].rereads()
		known[0].members(known...)
		late.members(append([]*machine{late}, known[0], known[2])...)
		for _, m := range l.machines {
			if n := len(m.engine.Fleet().Members); n > 1000 {
				t.Errorf("%s keeps %d members", m.name, n)
			}
		}
		l.prober("p0")
	})
}

func TestEngine_ThousandsOfMembersAreBounded(t *testing.T) {
	inLab(t, 2, 1, func(l *lab) {
		holder := l.prober("p0")
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		tags := make([]wire.Tag, 200)
		value := wire.EncodeMember(wire.Member{Host: "h", Version: "1", Tags: tags})[0]
		host := []byte(`{"servers":[]}`)
		for n := range 1500 {
			l.store.set(fmt.Sprint(wire.Members, "m", n), value)
			l.store.set(fmt.Sprint(wire.Members, "m", n, "/1"), value)
			l.store.set(fmt.Sprint(wire.Hosts, "h", n), host)
		}
		time.Sleep(30 * time.Second)
		var keys []string
		for n := range 1500 {
			keys = append(keys, fmt.Sprint(wire.Members, "m", n), fmt.Sprint(wire.Members, "m", n, "/1"), fmt.Sprint(wire.Hosts, "h", n))
		}
		if l.prober("p0") != holder || holder.entry("p0").row.Reason != provider.OK {
			t.Error("it does not work on")
		}
		if n := len(holder.engine.Fleet().Members); n > 1000 {
			t.Errorf("%d members are kept", n)
		}
		l.store.unset(keys...)
		time.Sleep(time.Minute)
		runtime.GC()
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
			t.Errorf("%d MiB are kept", grown>>20)
		}
		if n := len(holder.engine.Fleet().Members); n != 2 {
			t.Errorf("%d members are left", n)
		}
	})
}
