package fleettest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// standing are the lines of a daemon's log about how it stands to its fleet, and all warnings.
func (d *daemon) standing() (all []string) {
	for line := range strings.Lines(d.said.String()) {
		if strings.Contains(line, "providerd.fleet") || strings.Contains(line, `"warn"`) || strings.Contains(line, `"error"`) {
			all = append(all, line)
		}
	}
	return all
}

// stood asserts that a daemon joined, was cut off once for a reason and came back, with a line
// for each.
func (d *daemon) stood(why string) {
	d.t.Helper()
	lines := d.standing()
	if len(lines) != 3 || !strings.Contains(lines[0], "joined the fleet") || !strings.Contains(lines[1], "cut off from the fleet") ||
		!strings.Contains(lines[1], why) || !strings.Contains(lines[1], `"hint"`) || !strings.Contains(lines[2], "back in the fleet") {
		d.t.Errorf("%s wrote into its log, not three lines about its standing:\n%s", d.name, strings.Join(lines, ""))
	}
}

// A certificate that expires matters from the next connection on. Then its member is alone,
// and says so once, until it has a new one.
func TestFleet_ACertificateExpires(t *testing.T) {
	t.Parallel()
	l := newLab(t, true, members[:2]...)
	d, link := l.join("gpu3")
	broken := func() { link.each((*relay).refuse); link.each((*relay).allow) }
	tries := func() (n int64) {
		link.each(func(r *relay) { n += r.accepted.Load() })
		return n
	}
	before := tries()
	ends := time.Now().Add(10 * time.Second)
	l.authority.client(d.name, time.Until(ends))
	broken()
	eventually(t, "a connection with the new certificate", func() bool { return tries() > before })
	time.Sleep(time.Until(ends.Add(time.Second)))
	if out, code := d.ctl("refresh", "cloud", "--wait", "--timeout", "10s"); code != 0 || d.mode() != "ok" || d.row("cloud").Source != "fleet" {
		t.Errorf("it is %s, although its connection is as good as before: exit code %d\n%s", d.mode(), code, out)
	}

	broken()
	eventually(t, "alone", func() bool { return d.mode() == "alone" })
	before = tries()
	d.until("its own finding", "cloud", func(r row) bool { return r.Source == "probe" && r.State == "RUNNING" })
	if said, _ := d.ctl("fleet"); !strings.Contains(said, "certificate has expired") || !strings.Contains(said, "cert_file") {
		t.Errorf("providerctl fleet does not say what to do:\n%s", said)
	}
	eventually(t, "some tries to join", func() bool { return tries() > before+6 })
	l.authority.client(d.name, time.Hour)
	eventually(t, "back", func() bool { return d.mode() == "ok" })
	l.prober()
	d.stood("certificate has expired")
	if events := d.events(); len(events) != 1 {
		t.Errorf("events %q", events)
	}
}

// A member whose role is revoked, even the prober, is alone and says so once. The others find
// another prober.
func TestFleet_ARoleIsRevoked(t *testing.T) {
	t.Parallel()
	l := newLab(t, true, members[:3]...)
	d := l.prober()
	revoke := func(all ...*daemon) {
		l.admin(func(ctx context.Context, root *clientv3.Client) {
			for _, d := range all {
				_, err := root.UserRevokeRole(ctx, d.name, "fleet")
				must(t, err)
			}
		})
	}
	revoke(d)
	l.vendor.set(answer{status: 401}) // it has something to write
	eventually(t, "alone", func() bool { return d.mode() == "alone" })
	if said, _ := d.ctl("fleet"); !strings.Contains(said, "etcdctl user grant-role "+d.name) {
		t.Errorf("providerctl fleet does not say what to do:\n%s", said)
	}
	eventually(t, "another prober", func() bool {
		return slices.ContainsFunc(l.others(d), func(o *daemon) bool { _, here := o.shared(); return here })
	})
	l.knows("the truth", func(r row) bool { return r.Reason == "unauthorized" })
	other := l.others(d)[0]
	revoke(other)
	began := time.Now()
	if out, code := other.ctl("refresh", "cloud", "--wait", "--timeout", "10s"); code > 1 || l.vendor.since(began)[other.host.address] == 0 {
		t.Errorf("refresh: exit code %d\n%s", code, out)
	}
	eventually(t, "alone", func() bool { return other.mode() == "alone" })
	l.admin(func(ctx context.Context, root *clientv3.Client) {
		for _, d := range []*daemon{d, other} {
			_, err := root.UserGrantRole(ctx, d.name, "fleet")
			must(t, err)
		}
	})
	l.prober()
	for _, d := range []*daemon{d, other} {
		eventually(t, "back", func() bool { return d.mode() == "ok" })
		d.stood("no permission")
	}
	for _, d := range l.alive() {
		if events := d.events(); !slices.Equal(events, []string{"RUNNING ok", "ERROR unauthorized"}) {
			t.Errorf("%s: events %q", d.name, events)
		}
	}
}
