package cmd_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// Network namespaces in which a test has its own ports, and its own cable.

// namespaces counts those that were made, so that each test has its own.
var namespaces atomic.Int64

// newNamespaces creates two network namespaces with a cable between them, and returns
// their names.
func newNamespaces(t *testing.T) (here, there string) {
	t.Helper()
	_, err := exec.LookPath("ip")
	if os.Geteuid() != 0 || err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("this needs root, and ip from iproute2")
		}
		t.Skip("this needs root, and ip from iproute2")
	}
	n := namespaces.Add(1)
	here, there = fmt.Sprintf("pd%d-%d-here", os.Getpid(), n), fmt.Sprintf("pd%d-%d-there", os.Getpid(), n)
	for _, name := range []string{here, there} {
		ip(t, "netns", "add", name)
		t.Cleanup(func() { ip(t, "netns", "del", name) })
		ip(t, "-n", name, "link", "set", "lo", "up")
	}
	ip(t, "link", "add", "cable", "netns", here, "type", "veth", "peer", "name", "cable", "netns", there)
	ip(t, "-n", here, "addr", "add", "10.77.0.1/24", "dev", "cable")
	ip(t, "-n", there, "addr", "add", "10.77.0.2/24", "dev", "cable")
	ip(t, "-n", there, "addr", "add", "10.77.0.3/24", "dev", "cable")
	for _, name := range []string{here, there} {
		ip(t, "-n", name, "link", "set", "cable", "up")
	}
	ip(t, "-n", here, "route", "add", "default", "via", "10.77.0.2")
	return here, there
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// serveIn serves at an address of a namespace.
func serveIn(t *testing.T, namespace, address string, h http.Handler) {
	t.Helper()
	var l net.Listener
	inNamespace(t, namespace, func() {
		var err error
		if l, err = net.Listen("tcp", address); err != nil {
			t.Error(err)
		}
	})
	if l == nil {
		t.FailNow()
	}
	server := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
}

// inNamespace calls f on a thread in the namespace, where its listeners and processes also
// are. The thread ends with f.
func inNamespace(t *testing.T, namespace string, f func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked
		file, err := os.Open("/run/netns/" + namespace)
		if err != nil {
			done <- err
			return
		}
		defer file.Close()
		if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		f()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
