package fleettest

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/store/provider"
)

// spared asserts that a daemon neither grew nor wrote much into its log since before.
func (d *daemon) spared(before usage) {
	d.t.Helper()
	select {
	case <-d.done:
		d.t.Fatalf("%s ended", d.name)
	default:
	}
	now := usageOf(d.t, d.cmd.Process.Pid)
	d.t.Logf("%s has %s, and had %s; it used %v of CPU, and has %d events", d.name, mib(now.resident()), mib(before.resident()), now.cpu-before.cpu, len(d.events()))
	if now.resident() > before.resident()+96<<20 {
		d.t.Errorf("%s grew", d.name)
	}
	if lines := strings.Count(d.said.String(), "\n"); lines > 60 {
		d.t.Errorf("%s wrote %d lines into its log:\n%s", d.name, lines, tail(d.said.String(), 3000))
	}
}

// usages are what the daemons use.
func (l *lab) usages() map[*daemon]usage {
	all := map[*daemon]usage{}
	for _, d := range l.alive() {
		all[d] = usageOf(l.t, d.cmd.Process.Pid)
	}
	return all
}

// knows waits until every daemon's row is as wanted.
func (l *lab) knows(what string, wanted func(row) bool) {
	l.t.Helper()
	for _, d := range l.alive() {
		d.until(what, "cloud", wanted)
	}
}

// A prober that lies is found out by each other member within the bound of docs/fleet.md.
func TestFleet_ALiarIsFoundOut(t *testing.T) {
	t.Parallel()
	l := newLab(t, true, members[:3]...)
	l.prober()
	r := l.rogue()
	epoch := r.steal()
	l.vendor.set(answer{status: http.StatusUnauthorized})
	began := time.Now()
	// Of four members, each checks after 10 × (4-1) × 1 s; the rest is for this machine.
	const bound = 10*(4-1)*time.Second + 10*time.Second
	found := map[string]time.Duration{}
	for n := uint64(1); len(found) < 3 && time.Since(began) < bound; n++ {
		r.lie(wire.Row{Epoch: epoch, Reason: provider.OK, Probes: n})
		next := time.Now().Add(time.Second)
		for time.Now().Before(next) {
			for _, d := range l.alive() {
				if row := d.row("cloud"); found[d.name] == 0 && row.Reason == "unauthorized" && row.Source == "probe" {
					found[d.name] = time.Since(began)
				}
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	t.Logf("found out after %v", found)
	if len(found) != 3 {
		t.Errorf("not all found out in %s: %v", bound, found)
	}
	l.vendor.set(answer{}) // now it is the other way round
	for n := range uint64(3) {
		r.lie(wire.Row{Epoch: epoch, Reason: provider.Unauthorized, Probes: 1000 + n})
		time.Sleep(time.Second)
	}
	l.knows("the own finding", func(r row) bool { return r.State == "RUNNING" })
	r.leave()
	l.prober()
}

// A claim that is never served, and one whose holder is forged, do not keep anybody from
// finding out: a refresh is answered by an own probe, and so is a report.
func TestFleet_AClaimThatIsNeverServed(t *testing.T) {
	t.Parallel()
	l := newLab(t, true, members[:3]...)
	holder := l.prober()
	r := l.rogue()
	r.steal()
	for _, status := range []int{http.StatusUnauthorized, 0} {
		l.vendor.set(answer{status: status})
		for _, d := range l.alive() {
			began := time.Now()
			out, code := d.ctl("refresh", "cloud", "--wait", "--timeout", "10s")
			if by := l.vendor.since(began); code > 1 || by[d.host.address] == 0 {
				t.Errorf("%s: refresh: exit code %d, requests %v\n%s", d.name, code, by, out)
			}
			d.until("its own finding", "cloud", func(r row) bool { return r.Source == "probe" && (r.State == "RUNNING") == (status == 0) })
		}
	}
	holder.kill() // one that comes later is not told anything, and probes
	holder.start()
	began := time.Now()
	eventually(t, "a new member probes", func() bool { return l.vendor.since(began)[holder.host.address] > 2 })
	// etcd keeps the epoch of a key that is overwritten.
	r.leave()
	holder = l.prober()
	for _, value := range []string{"", "x", `{"member":"nobody"}`, `{"member":"\u001b[2J"}`, strings.Repeat("x", 1<<20)} {
		r.put(r.claimKey(), []byte(value), 0)
	}
	for _, d := range l.others(holder) {
		if out, code := d.ctl("refresh", "cloud", "--wait", "--timeout", "10s"); code != 0 {
			t.Errorf("%s: refresh: exit code %d\n%s", d.name, code, out)
		}
	}
	_, err := r.client.Delete(r.ctx, prefix+r.claimKey())
	must(t, err)
	l.prober()
}

// A limit of years holds for an hour at most, and not against who insists; a limit that ends
// is over at once.
func TestFleet_AFalseLimit(t *testing.T) {
	t.Parallel()
	l := newLab(t, true, members[:3]...)
	l.prober()
	r := l.rogue()
	year := fmt.Sprintf(`{"by":"rogue","remaining_ms":%d}`, 365*24*time.Hour.Milliseconds())
	r.put(r.limitKey(), []byte(year), 0) // it has no lease, so etcd keeps it
	l.knows("the limit", func(r row) bool { return r.Reason == "rate_limited" })
	for _, d := range l.alive() {
		until, err := time.Parse(time.RFC3339, d.row("cloud").RetryAt)
		if must(t, err); time.Until(until) > time.Hour {
			t.Errorf("%s is held until %s", d.name, until)
		}
		began := time.Now()
		out, _ := d.ctl("refresh", "cloud", "--force", "--wait", "--timeout", "10s")
		if l.vendor.since(began)[d.host.address] == 0 {
			t.Errorf("%s: it is not probed: %s", d.name, out)
		}
		d.until("its own finding", "cloud", func(r row) bool { return r.State == "RUNNING" })
	}
	r.put(r.limitKey(), []byte(year), 0)
	l.knows("the limit", func(r row) bool { return r.Reason == "rate_limited" })
	_, err := r.client.Delete(r.ctx, prefix+r.limitKey())
	must(t, err)
	l.knows("the end of the limit", func(r row) bool { return r.State == "RUNNING" })
	l.prober()
}

// Storms of refreshes, rows and members reach nobody's vendor, memory, log or events, and
// what is true comes through.
func TestFleet_AStorm(t *testing.T) {
	t.Parallel()
	l := newLab(t, true, members[:3]...)
	holder := l.prober()
	r := l.rogue()
	before := l.usages()

	began := time.Now()
	stop := r.storm(8, func(int64) (string, []byte) { return r.refreshKey(), wire.Ask{By: "rogue"}.Encode() })
	time.Sleep(8 * time.Second) // what is counted
	t.Logf("%d refreshes in 8 s", stop())
	for from, n := range l.vendor.since(began) {
		if n > 10 {
			t.Errorf("%d requests in 8 s by %s; the prober is %s", n, from, holder.host.address)
		}
	}

	epoch := r.steal()
	reasons := []provider.Reason{provider.OK, provider.ServerError}
	stop = r.storm(8, func(n int64) (string, []byte) {
		reason := reasons[n%2]
		return r.rowKey(), wire.Row{Epoch: epoch, By: "rogue", Reason: reason, State: reason.Meaning().State, Probes: uint64(n) * 1000}.Encode()
	})
	time.Sleep(8 * time.Second)
	t.Logf("%d contradicting rows in 8 s", stop())
	for d, was := range before {
		if d.spared(was); len(d.events()) > 30 {
			t.Errorf("%s has %d events", d.name, len(d.events()))
		}
	}
	r.leave()
	l.vendor.set(answer{status: http.StatusUnauthorized})
	l.prober()
	l.knows("the truth", func(r row) bool { return r.Reason == "unauthorized" })
}

// Garbage of every size and kind, and thousands of members that are not there.
func TestFleet_Garbage(t *testing.T) {
	t.Parallel()
	l := newLab(t, true, members[:3]...)
	l.prober()
	r := l.rogue()
	before := l.usages()
	fp := r.cloud.FP.String()
	for _, kind := range []string{wire.Rows, wire.ModelSet, wire.Limits, wire.Refresh, wire.Members, wire.Hosts, "later/", ""} {
		for _, name := range []string{fp, r.cloud.Limit.String(), "x", "a/b", "gpu9/1", "\x1b[2J\xff\x00", strings.Repeat("z", 300)} {
			for _, value := range [][]byte{{}, []byte("null"), []byte(`{"member":1}`), {0xff, 0xfe, 0}, bytes.Repeat([]byte("["), 4096)} {
				r.put(kind+name, value, r.lease)
			}
		}
		r.put(kind+fp, bytes.Repeat([]byte{'x'}, 1<<20), r.lease)
	}
	tags := make([]wire.Tag, 200)
	tags[0] = r.cloud.FP.Tag()
	member := wire.EncodeMember(wire.Member{Host: "h", Version: "1", Tags: tags})[0]
	for n := range 2000 {
		r.put(fmt.Sprint(wire.Members, "m", n), member, r.lease)
	}
	l.vendor.set(answer{status: http.StatusUnauthorized})
	l.knows("the truth", func(r row) bool { return r.Reason == "unauthorized" })
	for d, was := range before {
		d.spared(was)
		var fleet struct {
			Mode    string
			Members []struct{ Member string }
		}
		must(t, d.get("/api/fleet", &fleet))
		if fleet.Mode != "ok" || len(fleet.Members) > 1000 {
			t.Errorf("%s: mode %s, %d members", d.name, fleet.Mode, len(fleet.Members))
		}
		out, _ := d.ctl("fleet")
		if strings.ContainsAny(out, "\x1b\x00") {
			t.Errorf("%s shows %q", d.name, out)
		}
	}
	r.leave()
	l.prober()
}

// Whoever can write can also end the fleet. Then each machine is as one without.
func TestFleet_MoreThanAFleetHas(t *testing.T) {
	t.Parallel()
	l := newLab(t, true, members[:2]...)
	l.prober()
	r := l.rogue()
	before := l.usages()
	for n := range 300 {
		r.put(fmt.Sprint("later/", n), bytes.Repeat([]byte{'x'}, 120<<10), r.lease)
	}
	for _, d := range l.daemons { // so that they read all keys, as after an outage
		d.stop()
		d.start()
	}
	for _, d := range l.alive() {
		eventually(t, "alone", func() bool { return d.mode() == "alone" })
		if out, _ := d.ctl("fleet"); !strings.Contains(out, "more data than a fleet has") {
			t.Errorf("%s does not say why: %s", d.name, out)
		}
	}
	l.vendor.set(answer{status: http.StatusUnauthorized})
	l.knows("the own finding", func(r row) bool { return r.Reason == "unauthorized" && r.Source == "probe" })
	for d, was := range before {
		d.spared(was)
	}
	r.leave()
	l.prober()
}
