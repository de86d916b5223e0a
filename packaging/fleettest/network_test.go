package fleettest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// A network is a bridge with a network namespace for each host. It is unreachable from this
// machine and from other tests: the bridge is in a namespace too.
type network struct {
	t     testing.TB
	hub   string // the bridge's namespace
	hosts int
}

// A host is a network namespace with one address.
type host struct {
	t       testing.TB
	net     *network
	name    string
	space   string // its namespace
	address string
	link    string // its end on the bridge
}

var networks atomic.Int64

// newNetwork makes a bridge without hosts. It needs root.
func newNetwork(t testing.TB) *network {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: no network namespaces")
	}
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("network namespaces need root")
		}
		t.Skip("network namespaces need root")
	}
	n := &network{t: t, hub: fmt.Sprintf("ft%d-%d", os.Getpid(), networks.Add(1))}
	n.ip("netns", "add", n.hub)
	t.Cleanup(func() { n.ip("netns", "del", n.hub) })
	n.ip("-n", n.hub, "link", "add", "name", "bridge0", "type", "bridge")
	n.ip("-n", n.hub, "link", "set", "bridge0", "up")
	return n
}

func (n *network) ip(args ...string) {
	n.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		n.t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// host adds a host to the bridge.
func (n *network) host(name string) *host {
	n.t.Helper()
	n.hosts++
	h := &host{
		t: n.t, net: n, name: name,
		space:   fmt.Sprintf("%s-%d", n.hub, n.hosts),
		address: fmt.Sprintf("10.77.0.%d", n.hosts),
		link:    fmt.Sprint("v", n.hosts),
	}
	n.ip("netns", "add", h.space)
	n.t.Cleanup(func() { n.ip("netns", "del", h.space) })
	n.ip("-n", n.hub, "link", "add", h.link, "type", "veth", "peer", "name", "eth0", "netns", h.space)
	n.ip("-n", n.hub, "link", "set", h.link, "master", "bridge0", "up")
	n.ip("-n", h.space, "addr", "add", h.address+"/24", "dev", "eth0")
	n.ip("-n", h.space, "link", "set", "lo", "up")
	n.ip("-n", h.space, "link", "set", "eth0", "up")
	n.ip("-n", h.space, "route", "add", "default", "via", "10.77.0.254") // nobody; machines look online by it
	return h
}

// cut unplugs the host at the bridge. What it sends is lost, and it does not notice.
func (h *host) cut() { h.t.Helper(); h.net.ip("-n", h.net.hub, "link", "set", h.link, "nomaster") }

// heal plugs it in again.
func (h *host) heal() {
	h.t.Helper()
	h.net.ip("-n", h.net.hub, "link", "set", h.link, "master", "bridge0", "up")
}

// block loses what another host sends to this one. Neither notices.
func (h *host) block(other *host) {
	h.t.Helper()
	h.net.ip("-n", other.space, "route", "add", "blackhole", h.address)
}

// unblock ends block.
func (h *host) unblock(other *host) {
	h.t.Helper()
	h.net.ip("-n", other.space, "route", "del", "blackhole", h.address)
}

// command is a command that runs on the host. Its process is the command's own, so signals
// reach it.
func (h *host) command(name string, args ...string) *exec.Cmd {
	inside := h.inside()
	return exec.Command(inside[0], append(append(inside[1:], name), args...)...)
}

func (h *host) inside() []string { return []string{"ip", "netns", "exec", h.space} }

// within runs something on the host, in this process. It must not start goroutines that
// make sockets.
func (h *host) within(do func() error) error {
	failed := make(chan error)
	go func() { failed <- h.visit(do) }()
	return <-failed
}

// visit comes back to this machine's namespace. Its thread must live on: processes that it
// started end with it (Pdeathsig).
func (h *host) visit(do func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer home.Close()
	space, err := os.Open(filepath.Join("/run/netns", h.space))
	if err != nil {
		return err
	}
	defer space.Close()
	if err := unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	err = do()
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		panic(back) // other tests would run in the namespace
	}
	return err
}

// dial connects to an address, which must be numeric, from the host.
func (h *host) dial(ctx context.Context, address string) (c net.Conn, err error) {
	err = h.within(func() (err error) {
		var d net.Dialer
		c, err = d.DialContext(ctx, "tcp", strings.TrimPrefix(address, "https://"))
		return err
	})
	return c, err
}

// listen listens on a port of the host.
func (h *host) listen(port int) net.Listener {
	h.t.Helper()
	var l net.Listener
	must(h.t, h.within(func() (err error) {
		l, err = net.Listen("tcp4", fmt.Sprintf("%s:%d", h.address, port))
		return err
	}))
	h.t.Cleanup(func() { l.Close() })
	return l
}
