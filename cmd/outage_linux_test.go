package cmd_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/store/provider"
)

// A daemon whose network is cut blames itself, once, and nobody else; and once more
// when it is healed. The daemon and the two servers that it watches from afar are in
// network namespaces of their own, with a cable between them.
func TestHost_ACutCableIsOneEventAtEachEnd(t *testing.T) {
	here, there := newNamespaces(t)
	for _, address := range []string{"10.77.0.2:8000", "10.77.0.3:8000"} {
		serveIn(t, there, address)
	}
	p := newProcess(t, `
[defaults]
interval = "2s"
[[provider]]
id = "one"
kind = "http"
base_url = "http://10.77.0.2:8000"
[[provider]]
id = "two"
kind = "http"
base_url = "http://10.77.0.3:8000"
[[provider]]
id = "local"
kind = "tcp"
base_url = "tcp://127.0.0.1:1"
`)
	cmd := p.command()
	var err error
	inNamespace(t, here, func() { err = cmd.Start() })
	p.started(cmd, err)
	p.untilReason("one", provider.OK)
	p.untilReason("two", provider.OK)

	ip(t, "-n", here, "link", "set", "cable", "down")
	p.untilReason("one", provider.Offline)
	p.untilReason("two", provider.Offline)
	p.untilReason("local", provider.ConnectionRefused)
	ip(t, "-n", here, "link", "set", "cable", "up")
	ip(t, "-n", here, "route", "add", "default", "via", "10.77.0.2")
	p.untilReason("one", provider.OK)
	p.untilReason("two", provider.OK)

	p.kill()
	var told []string
	for _, e := range checkDatabase(t, filepath.Join(p.dir, "state", "providerd.db")) {
		told = append(told, fmt.Sprint(e.ID, " ", e.To, " ", e.Reason, " ", e.IDs))
	}
	slices.Sort(told[:min(3, len(told))]) // the first sweep has no order
	if want := []string{
		"local STOPPED connection_refused []", "one RUNNING ok []", "two RUNNING ok []",
		"host UNKNOWN offline [one two]", "host RUNNING ok [one two]",
	}; !slices.Equal(told, want) {
		t.Errorf("events %q, want %q", told, want)
	}
}

// untilReason waits for a row to say so.
func (p *process) untilReason(id string, reason provider.Reason) {
	p.t.Helper()
	p.until(func() bool {
		var st provider.Status
		return p.do("GET", "/api/providers/"+id, &st) == http.StatusOK && st.Reason == reason
	})
}

// newNamespaces makes two network namespaces with a cable between them, and returns
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
	here, there = fmt.Sprintf("pd%d-here", os.Getpid()), fmt.Sprintf("pd%d-there", os.Getpid())
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

// serveIn answers 200 to everything at an address of a namespace.
func serveIn(t *testing.T, namespace, address string) {
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
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
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

// inNamespace calls f on a thread that is in the namespace; what it listens on and
// whom it starts are too. The thread ends with it.
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
