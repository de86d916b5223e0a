package fleettest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// split ends all traffic between two groups of hosts, and heals it.
func split(a, b []*host) (heal func()) {
	each := func(do func(x, y *host)) {
		for _, x := range a {
			for _, y := range b {
				do(x, y)
				do(y, x)
			}
		}
	}
	each((*host).block)
	return func() { each((*host).unblock) }
}

// The prober is with one server of etcd on the smaller side of a split network. It is alone and
// probes for itself, and the others have another prober. Healed, all know the same, and nobody
// has an event twice.
func TestFleet_AMinority(t *testing.T) {
	t.Parallel()
	l := newLab(t, true, members[:3]...)
	d := l.prober()
	others := l.others(d)
	heal := split([]*host{d.host, l.etcd[0]}, []*host{others[0].host, others[1].host, l.etcd[1], l.etcd[2]})
	eventually(t, "alone", func() bool { return d.mode() == "alone" })
	eventually(t, "another prober", func() bool {
		return slices.ContainsFunc(others, func(o *daemon) bool {
			prober, here := o.shared()
			return here && prober == o.name
		})
	})
	l.vendor.set(answer{status: 401})
	l.knows("the truth", func(r row) bool { return r.Reason == "unauthorized" })
	for _, o := range others {
		if o.mode() != "ok" {
			t.Errorf("%s, of the larger side, is %s", o.name, o.mode())
		}
	}
	if out, code := d.ctl("refresh", "cloud", "--wait", "--timeout", "10s"); code > 1 {
		t.Errorf("refresh on the smaller side: exit code %d\n%s", code, out)
	}
	heal()
	eventually(t, "back", func() bool { return d.mode() == "ok" })
	if l.prober() == d {
		t.Error("it has taken the claim back")
	}
	for _, d := range l.alive() {
		if events := d.events(); !slices.Equal(events, []string{"RUNNING ok", "ERROR unauthorized"}) {
			t.Errorf("%s: events %q", d.name, events)
		}
	}
}

// reload gives a daemon another configuration.
func (d *daemon) reload(config string) {
	d.t.Helper()
	d.config = config
	must(d.t, os.WriteFile(filepath.Join(d.dir, "c.toml"), []byte(d.config+"\n"+d.fleet), 0o600))
	if out, code := d.ctl("reload"); code != 0 {
		d.t.Fatalf("%s: reload: exit code %d\n%s", d.name, code, out)
	}
}

// turn is which member probes a provider according to a daemon, and whether it probes itself.
func (d *daemon) turn(id string) (prober string, here bool) {
	var reply struct {
		Shared []struct {
			ID, Prober string
			Here       bool
		}
	}
	if d.get("/api/fleet", &reply) == nil {
		for _, s := range reply.Shared {
			if s.ID == id {
				return s.Prober, s.Here
			}
		}
	}
	return "", false
}

// A provider that a reload adds is shared at once with those who have it already, and one that
// a reload removes is left to the others at once. The last one cleans up.
func TestFleet_AReloadAddsAndRemovesAProvider(t *testing.T) {
	t.Parallel()
	l := newLab(t, true, members[:2]...)
	l.prober()
	first, last := l.daemons["gpu1"], l.daemons["gpu2"]
	file := filepath.Join(t.TempDir(), "key")
	must(t, os.WriteFile(file, []byte(l.secret+"-of-the-second"), 0o600))
	more := l.cloud() + fmt.Sprintf("[[provider]]\nid = \"second\"\nkind = \"openai-compatible\"\nbase_url = %q\napi_key_file = %q\ninterval = \"1s\"\n", l.vendor.url, file)
	turn := func(d *daemon, prober string, here bool) {
		t.Helper()
		eventually(t, fmt.Sprintf("%s says that %s probes the second", d.name, prober), func() bool {
			is, self := d.turn("second")
			return is == prober && self == here
		})
	}
	first.reload(more)
	turn(first, "gpu1", true)
	last.reload(more)
	turn(last, "gpu1", false)
	first.reload(l.cloud())
	turn(last, "gpu2", true)
	turn(first, "", false)
	last.until("its own finding", "second", func(r row) bool { return r.State == "RUNNING" && r.Source == "probe" })
	last.reload(l.cloud())
	eventually(t, "nothing of the second is left", func() (is bool) {
		l.admin(func(ctx context.Context, root *clientv3.Client) {
			all, err := root.Get(ctx, prefix, clientv3.WithPrefix())
			must(t, err)
			kinds := map[string]int{}
			for _, kv := range all.Kvs {
				kind, _, _ := strings.Cut(strings.TrimPrefix(string(kv.Key), prefix), "/")
				kinds[kind]++
			}
			is = kinds["claim"] == 1 && kinds["row"] == 1 && kinds["models"] == 1
		})
		return is
	})
	l.prober()
	for _, d := range l.alive() {
		if lines := strings.Join(d.standing(), ""); strings.Contains(lines, "cut off") {
			t.Errorf("%s was cut off: %s", d.name, lines)
		}
	}
}

// A daemon ends in time although etcd hangs, whether it is the prober, another or about to
// join.
func TestFleet_EndsWhileEtcdHangs(t *testing.T) {
	t.Parallel()
	l := newLab(t, true, members[:2]...)
	l.prober()
	l.users("late")
	late := prepare(t, l.host("late"), l.cloud(), l.section("late"))
	for _, s := range l.servers {
		s.signal(syscall.SIGSTOP)
	}
	late.start()
	for _, d := range []*daemon{l.daemons["gpu1"], l.daemons["gpu2"], late} {
		if r := d.row("cloud"); r.State != "RUNNING" && d != late {
			t.Errorf("%s: %+v", d.name, r)
		}
		began := time.Now()
		d.stop()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s ends after %s", d.name, took)
		}
	}
}
