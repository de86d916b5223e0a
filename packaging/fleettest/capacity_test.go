package fleettest

import (
	"context"
	"fmt"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/daemon/config"
)

// What a fleet of 500 members with 20 shared providers costs three etcd servers, and how it
// takes it that they restart. Always with 50 members for 10 seconds; all of it with
//
//	PROVIDERD_FLEET=500 go -C packaging/fleettest test -run TestCapacity -v .
//
// The fleet's servers and all members are on this machine and share its cores.
func TestCapacity(t *testing.T) {
	t.Run("Of50", func(t *testing.T) { measure(t, 50, 10*time.Second, 10) })
	t.Run("Of500", func(t *testing.T) {
		if os.Getenv("PROVIDERD_FLEET") != "500" {
			t.Skip("it takes three minutes and both cores: set PROVIDERD_FLEET=500 to run it")
		}
		c, crowd := measure(t, 500, time.Minute, 40)
		outage(t, c, crowd, 500)
	})
}

const shared = 20 // providers that all members share

func measure(t *testing.T, members int, watched time.Duration, changes int) (*cluster, *crowdClient) {
	t.Helper()
	c := start(t, newest(), 3, "crowd")
	crowd := newCrowd(t)
	before := c.load()
	crowd.must("Join", c.crowd(members), &None{})
	took := crowd.settled(members)
	c.say(before, fmt.Sprintf("%d members join at once, and are settled after %v", members, took.Round(100*time.Millisecond)))
	t.Logf("sessions: %s; not opened: %v", storm(crowd.standing().Open), crowd.standing().Failed)
	time.Sleep(min(watched, 15*time.Second)) // what joining left behind

	before = c.load()
	time.Sleep(watched)
	writes := c.say(before, "nothing changes")
	// Each row is written once a minute.
	if most := 2 * float64(shared) / 60; writes > max(most, 1) {
		t.Errorf("%.2f writes a second while nothing changes", writes)
	}
	for i, u := range c.usage() {
		if u.resident() > 200<<20 {
			t.Errorf("%s has %s", c.servers[i].name, mib(u.resident()))
		}
	}

	before = c.load()
	var delays []time.Duration
	for i := range changes {
		var more []time.Duration
		crowd.must("Change", i, &more)
		delays = append(delays, more...)
	}
	c.say(before, fmt.Sprintf("%d changes, one after the other: %d of %d deliveries after %s", changes, len(delays), changes*(members-1), spread(delays)))

	for _, s := range c.servers {
		opened := crowd.standing().Open
		before = c.load()
		s.restart()
		before.servers[slices.Index(c.servers, s)] = usage{at: before.servers[0].at}
		time.Sleep(8 * time.Second) // longer than an unanswered renewal is waited for
		took = crowd.settled(members)
		again := crowd.standing().Open[len(opened):]
		c.say(before, fmt.Sprintf("%s restarts: settled after %v; sessions opened again: %s", s.name, took.Round(100*time.Millisecond), storm(again)))
		if len(again) > members/10 {
			t.Errorf("%d sessions were opened again, though two servers of three were there", len(again))
		}
	}
	return c, crowd
}

// outage is how members come back after all servers were gone for longer than a lease.
func outage(t *testing.T, c *cluster, crowd *crowdClient, members int) {
	t.Helper()
	opened := crowd.standing().Open
	for _, s := range c.servers {
		s.kill()
	}
	const gone = 30 * time.Second
	time.Sleep(gone)
	if standing := crowd.standing(); standing.OK > 0 {
		t.Errorf("%d members do not notice that etcd is gone", standing.OK)
	}
	meanwhile := crowd.standing().Open
	for _, s := range c.servers {
		s.start()
	}
	before := c.load()
	took := crowd.settled(members)
	back := crowd.standing().Open
	c.say(before, fmt.Sprintf("all servers are back after %v: settled after %v", gone, took.Round(100*time.Millisecond)))
	t.Logf("sessions opened while they were gone: %s; since then: %s", storm(meanwhile[len(opened):]), storm(back[len(meanwhile):]))
	t.Logf("not opened since the test began: %v", crowd.standing().Failed)
	if most := 3 * members; len(back)-len(meanwhile) > most {
		t.Errorf("sessions were opened %d times by %d members", len(back)-len(meanwhile), members)
	}
}

// crowd is what a crowd of members needs to know. They have one certificate.
func (c *cluster) crowd(members int) CrowdOf {
	files := c.authority.client("crowd", time.Hour)
	return CrowdOf{Members: members, Providers: shared, Interval: 10 * time.Second, Fleet: config.Fleet{
		Name: "lab", Endpoints: c.endpoints(), CAFile: c.authority.file(), CertFile: files.cert, KeyFile: files.key,
		Key: slices.Repeat([]byte{0x5a}, config.FleetKeySize), Trust: config.Verify,
	}}
}

// A loaded cluster is what its servers have used and written.
type loaded struct {
	revision int64
	servers  []usage
}

func (c *cluster) usage() (all []usage) {
	for _, s := range c.servers {
		all = append(all, usageOf(c.t, s.cmd.Process.Pid))
	}
	return all
}

func (c *cluster) load() (l loaded) {
	c.t.Helper()
	c.until("etcd answers", func() (err error) {
		c.admin(func(ctx context.Context, root *clientv3.Client) {
			ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			var answer *clientv3.GetResponse
			if answer, err = root.Get(ctx, "none"); err == nil {
				l.revision = answer.Header.Revision
			}
		})
		return err
	})
	l.servers = c.usage()
	return l
}

// say reports what happened since before, and is how many writes a second there were.
func (c *cluster) say(before loaded, what string) float64 {
	c.t.Helper()
	now := c.load()
	took := now.servers[0].at.Sub(before.servers[0].at)
	writes := float64(now.revision-before.revision) / took.Seconds()
	text := fmt.Sprintf("%s\n  in %.1f s %d writes, %.2f a second; of a core, and resident:", what, took.Seconds(), now.revision-before.revision, writes)
	for i, u := range now.servers {
		text += fmt.Sprintf("  %s %.1f %%, %s", c.servers[i].name, 100*u.cores(before.servers[i]), mib(u.resident()))
	}
	c.t.Log(text)
	return writes
}

// spread is the distribution of delays, to show.
func spread(d []time.Duration) string {
	if len(d) == 0 {
		return "none"
	}
	slices.Sort(d)
	at := func(share float64) time.Duration {
		return d[int(share*float64(len(d)-1))].Round(time.Millisecond / 10)
	}
	return fmt.Sprintf("%v, 99th percentile %v, at most %v", at(0.5), at(0.99), at(1))
}

// storm is how often something happened and how close together, to show.
func storm(moments []time.Time) string {
	slices.SortFunc(moments, time.Time.Compare)
	most := 0
	for first, last := 0, 0; last < len(moments); last++ {
		for moments[last].Sub(moments[first]) >= time.Second {
			first++
		}
		most = max(most, last-first+1)
	}
	return fmt.Sprintf("%d, at most %d in a second", len(moments), most)
}

// A crowdClient is the test's end of a [Crowd] in a process of its own.
type crowdClient struct {
	*process
	rpc *rpc.Client
}

func newCrowd(t testing.TB) *crowdClient {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	ours, theirs := os.NewFile(uintptr(pair[0]), "crowd"), os.NewFile(uintptr(pair[1]), "test")
	defer ours.Close()
	defer theirs.Close()
	conn, err := net.FileConn(ours)
	must(t, err)
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self)
	cmd.Env, cmd.ExtraFiles = append(os.Environ(), "FLEETTEST_ROLE=crowd"), []*os.File{theirs}
	c := &crowdClient{process: spawn(t, cmd), rpc: rpc.NewClient(conn)}
	t.Cleanup(func() { c.rpc.Close() })
	return c
}

func (c *crowdClient) must(method string, args, reply any) {
	c.t.Helper()
	must(c.t, c.rpc.Call("Crowd."+method, args, reply))
}

func (c *crowdClient) standing() (s Standing) {
	c.t.Helper()
	c.must("Standing", None{}, &s)
	return s
}

// settled waits until all members are in the fleet, each provider has one prober, and all
// others were told of it.
func (c *crowdClient) settled(members int) time.Duration {
	c.t.Helper()
	began := time.Now()
	var s Standing
	for time.Since(began) < 2*time.Minute {
		if s = c.standing(); s.OK == members && s.Settled == shared {
			return time.Since(began)
		}
		time.Sleep(50 * time.Millisecond)
	}
	c.t.Fatalf("not settled in time: %d of %d members, %d of %d providers", s.OK, members, s.Settled, shared)
	return 0
}
