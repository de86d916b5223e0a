package fleettest

import (
	"context"
	"net/http"
	"testing"
	"time"
)

// A daemon in a namespace of its own works, without a fleet: the ground that scenarios with
// one stand on.
func TestLab_ADaemonReachesTheVendor(t *testing.T) {
	t.Parallel()
	l := newLab(t, false, "gpu1")
	d := l.daemons["gpu1"]
	d.until("RUNNING", "cloud", func(r row) bool { return r.State == "RUNNING" })
	if by := l.vendor.since(time.Time{}); by[d.host.address] == 0 || len(by) != 1 {
		t.Fatalf("requests by host: %v", by)
	}
	l.vendor.set(answer{status: http.StatusTooManyRequests, retryAfter: 30 * time.Second})
	d.until("RATE_LIMITED", "cloud", func(r row) bool { return r.Reason == "rate_limited" && r.RetryAt != "" })
	if out, code := d.ctl("status"); code != 0 && code != 1 {
		t.Fatalf("providerctl status: exit code %d\n%s", code, out)
	}
	d.freeze()
	d.thaw()
	d.kill()
	d.start()
	d.stop()
}

func TestLab_CutsAHostOffAndHealsIt(t *testing.T) {
	t.Parallel()
	l := newLab(t, false)
	for _, h := range l.etcd {
		dials(t, l.through, h, true)
	}
	l.etcd[0].cut()
	dials(t, l.through, l.etcd[0], false)
	dials(t, l.through, l.etcd[1], true)
	l.etcd[0].heal()
	dials(t, l.through, l.etcd[0], true)
}

// dials waits until a host can reach etcd on another, or cannot.
func dials(t *testing.T, from, to *host, can bool) {
	t.Helper()
	eventually(t, from.name+" and "+to.name, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		c, err := from.dial(ctx, to.address+":2379")
		if err == nil {
			c.Close()
		}
		return (err == nil) == can
	})
}
