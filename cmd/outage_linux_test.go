package cmd_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// A daemon whose network is cut reports an outage of its own machine, once, blames no
// provider, and reports the end once. The daemon and its two remote servers are in separate
// network namespaces, with a cable between them.
func TestHost_ACutCableIsOneEventAtEachEnd(t *testing.T) {
	t.Parallel()
	here, there := newNamespaces(t)
	for _, address := range []string{"10.77.0.2:8000", "10.77.0.3:8000"} {
		serveIn(t, there, address, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	}
	p := newProcess(t, `
[defaults]
interval = "2s"
timeout = "3s" # what is cut off says nothing
slow_after = "60s"
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

// On a network without a way out, a server that is off is off: this machine is not blamed.
func TestHost_AServerThatIsOffOnANetworkOfItsOwn(t *testing.T) {
	t.Parallel()
	here, there := newNamespaces(t)
	serveIn(t, there, "10.77.0.3:8000", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	ip(t, "-n", here, "route", "del", "default")
	p := newProcess(t, "[[provider]]\nid = \"far\"\nkind = \"http\"\nbase_url = \"http://10.77.0.3:8000\"\ninterval = \"1s\"\ntimeout = \"3s\"\nslow_after = \"60s\"\n")
	cmd := p.command()
	var err error
	inNamespace(t, here, func() { err = cmd.Start() })
	p.started(cmd, err)
	p.untilReason("far", provider.OK)
	ip(t, "-n", there, "addr", "del", "10.77.0.3/24", "dev", "cable")
	p.until(func() bool {
		var st provider.Status
		p.do("GET", "/api/providers/far", &st)
		if st.Reason == provider.Offline {
			t.Fatalf("it blames itself: %s", st.Detail)
		}
		return st.State == provider.StateError
	})
}

// untilReason waits until a row has the reason.
func (p *process) untilReason(id string, reason provider.Reason) {
	p.t.Helper()
	p.until(func() bool {
		var st provider.Status
		return p.do("GET", "/api/providers/"+id, &st) == http.StatusOK && st.Reason == reason
	})
}
