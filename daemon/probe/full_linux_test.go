package probe_test

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A server that listens and never accepts takes a few connections, and then does not answer
// at all. Nothing listens at the other address of localhost, which proves nothing.
func TestProbe_FullQueue(t *testing.T) {
	t.Parallel()
	port := full(t, unix.AF_INET, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	path := filepath.Join(t.TempDir(), "full.sock")
	full(t, unix.AF_UNIX, &unix.SockaddrUnix{Name: path})
	for name, address := range map[string]string{
		"TCP":       "http://" + port,
		"localhost": "http://" + strings.Replace(port, "127.0.0.1", "localhost", 1),
		"TLS":       "https://" + port,
		"Unix":      "unix://" + path,
	} {
		for _, first := range []bool{false, true} {
			p := configured(t, "llamacpp", address, "")
			p.Timeout = 300 * time.Millisecond
			o := once(t, p, probe.Options{}, probe.Ask{DialFirst: first})
			if o.Saw != provider.Hung || !strings.Contains(o.Detail, "accepts no connections") || o.PortListening == nil || *o.PortListening {
				t.Errorf("%s, dial first %t: saw %s %q", name, first, o.Saw, o.Detail)
			}
		}
	}
}

// full listens, fills its own queue, and returns the address.
func full(t *testing.T, family int, at unix.Sockaddr) (address string) {
	t.Helper()
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, at); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	switch bound := bound.(type) {
	case *unix.SockaddrInet4:
		address = (&net.TCPAddr{IP: bound.Addr[:], Port: bound.Port}).String()
	case *unix.SockaddrUnix:
		address = bound.Name
	}
	for range 8 { // the system takes one or two more than it was asked to
		if !connects(t, family, bound) {
			return address
		}
	}
	t.Fatal("the queue is never full")
	return ""
}

// connects reports whether a listener's queue has room. The timeout is the system's, so a
// test that is delayed does not take the delay for an answer.
func connects(t *testing.T, family int, to unix.Sockaddr) bool {
	t.Helper()
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	limit := unix.NsecToTimeval(int64(100 * time.Millisecond))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit); err != nil {
		t.Fatal(err)
	}
	for {
		switch err := unix.Connect(fd, to); err {
		case nil, unix.EISCONN:
			return true
		case unix.EINTR: // which Go sends itself
		case unix.EAGAIN, unix.EINPROGRESS, unix.EALREADY:
			return false
		default:
			t.Fatal(err)
		}
	}
}
