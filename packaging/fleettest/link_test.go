package fleettest

import (
	"context"
	"net"
	"slices"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A link is all that a member has to reach etcd: a relay to each server, on its own loopback
// address.
type link []*relay

func (k link) each(do func(*relay)) {
	for _, r := range k {
		do(r)
	}
}

// endpoints are where the member reaches etcd's servers.
func (k link) endpoints() (urls []string) {
	k.each(func(r *relay) { urls = append(urls, r.url) })
	return urls
}

// link makes relays to etcd's servers on a host.
func (l *lab) link(h *host) (k link) {
	l.t.Helper()
	for _, s := range l.servers {
		k = append(k, relayTo(l.t, h.loopback(), func() (net.Conn, error) { return h.dial(context.Background(), s.url) }))
	}
	return k
}

// loopback listens on the host's own loopback address.
func (h *host) loopback() (l net.Listener) {
	h.t.Helper()
	must(h.t, h.within(func() (err error) {
		l, err = net.Listen("tcp4", "127.0.0.1:0")
		return err
	}))
	return l
}

// join adds a member that reaches etcd over a link. Another one stays the prober.
func (l *lab) join(member string) (*daemon, link) {
	l.t.Helper()
	l.prober()
	l.users(member)
	h := l.host(member)
	k := l.link(h)
	d := newDaemon(l.t, h, l.cloud(), l.sectionAt(member, k.endpoints()))
	l.daemons[member] = d
	if l.prober() == d {
		l.t.Fatalf("%s, which came last, is the prober", member)
	}
	return d, k
}

// compact makes etcd forget all revisions before this one.
func (l *lab) compact() {
	l.t.Helper()
	l.admin(func(ctx context.Context, root *clientv3.Client) {
		for range 3 { // a watch that saw none of them begins before the last
			written, err := root.Put(ctx, prefix+"later/x", "x")
			must(l.t, err)
			_, err = root.Compact(ctx, written.Header.Revision)
			must(l.t, err)
		}
	})
}

// change makes the vendor answer otherwise, and waits until the prober and some others know.
func (l *lab) change(status int, reason string, all ...*daemon) {
	l.t.Helper()
	l.vendor.set(answer{status: status})
	if out, code := all[0].ctl("refresh", "cloud", "--wait", "--timeout", "10s"); code > 1 {
		l.t.Errorf("refresh: exit code %d\n%s", code, out)
	}
	for _, d := range all {
		d.until(reason, "cloud", func(r row) bool { return r.Reason == reason })
	}
}

// A member whose link hangs while others write and etcd compacts has every row when the link
// is back, and each event once: while it is a member all the time, and after it was alone.
func TestFleet_CompactionWhileAMemberLags(t *testing.T) {
	t.Parallel()
	l := newLab(t, true, members[:2]...)
	late, link := l.join("gpu3")
	holder := l.prober()
	others := append([]*daemon{holder}, slices.DeleteFunc(l.others(holder), func(d *daemon) bool { return d == late })...)
	wanted := late.events()

	for _, is := range []struct {
		status int
		reason string
	}{{500, "server_error"}, {0, "ok"}} {
		link.each((*relay).hold)
		l.change(is.status, is.reason, others...)
		l.compact()
		link.each((*relay).refuse)
		link.each((*relay).allow)
		link.each((*relay).resume)
		late.until("what it missed", "cloud", func(r row) bool { return r.Reason == is.reason })
		wanted = append(wanted, late.row("cloud").State+" "+is.reason)
	}
	if by := late.row("cloud"); by.Source != "fleet" || by.By != holder.name {
		t.Errorf("%+v, the prober is %s", by, holder.name)
	}

	link.each((*relay).hold)
	eventually(t, "alone", func() bool { return late.mode() == "alone" })
	l.change(401, "unauthorized", others...)
	l.compact()
	late.until("its own finding", "cloud", func(r row) bool { return r.Reason == "unauthorized" && r.Source == "probe" })
	link.each((*relay).refuse)
	link.each((*relay).allow)
	link.each((*relay).resume)
	eventually(t, "back", func() bool { return late.mode() == "ok" })
	if l.prober() != holder {
		t.Error("another prober")
	}
	wanted = append(wanted, "ERROR unauthorized")
	for _, d := range l.alive() {
		if got := d.events(); !slices.Equal(got, wanted) {
			t.Errorf("%s: events %q, want %q", d.name, got, wanted)
		}
	}
}
