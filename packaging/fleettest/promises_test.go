package fleettest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/providerd/providerd/daemon/config"
)

// A grave is an etcd that is dead.
type grave struct {
	refuses, hangs string // servers: one refuses connections, the other accepts them and never answers
	accepted       atomic.Int64
}

func newGrave(t testing.TB, h *host) *grave {
	t.Helper()
	refuses, hangs := h.loopback(), h.loopback()
	refuses.Close()
	g := &grave{refuses: "http://" + refuses.Addr().String(), hangs: "http://" + hangs.Addr().String()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var kept []net.Conn
		for {
			c, err := hangs.Accept()
			if err != nil {
				break
			}
			g.accepted.Add(1)
			kept = append(kept, c)
		}
		for _, c := range kept {
			c.Close()
		}
	}()
	t.Cleanup(func() { hangs.Close(); <-done })
	return g
}

// Whatever a daemon promises, it keeps in a fleet whose etcd is dead: the tests of the promises
// pass with such a [fleet] in every configuration, and with all of their servers shared.
func TestFleet_PromisesHoldWithoutEtcd(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, []byte(text), 0o644))
		return path
	}
	hosts := write("hosts", "127.0.0.1 localhost machine.test\n::1 localhost\n")
	key := write("fleet_key", config.FleetKeyText(make([]byte, config.FleetKeySize)))
	must(t, os.Chmod(key, 0o600))
	binaries := map[string]func() (string, error){}
	for _, pkg := range []string{"daemon", "cmd"} {
		binaries[pkg] = sync.OnceValues(func() (string, error) {
			binary := filepath.Join(dir, pkg+".test")
			out, err := exec.Command("go", "test", "-C", filepath.Join("..", ".."), "-c", "-o", binary, "./"+pkg).CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%w\n%s", err, out)
			}
			return binary, err
		})
	}
	for _, tt := range []struct {
		name, pkg, tests string
		mode             string // in which the tests of daemon begin; "": this is not daemon
	}{
		{"Refuses", "daemon", "^TestPromise", "alone"},
		{"Hangs", "daemon", "^TestPromise", "connecting"},
		{"Processes", "cmd", "^TestPromise(4|7|9_DiskHangs|9_FilesHang|9_NowhereToWrite)", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := n.host(tt.name)
			g := newGrave(t, h)
			binary, err := binaries[tt.pkg]()
			must(t, err)
			// ip gives it a mount namespace of its own.
			cmd := h.command("sh", "-c", `mount --bind "$0" /etc/hosts && exec "$@"`, hosts, binary, "-test.v", "-test.run", tt.tests)
			cmd.Dir = filepath.Join("..", "..", tt.pkg)
			endpoint := g.hangs
			if tt.mode == "alone" {
				endpoint = g.refuses
			}
			cmd.Env = append(os.Environ(), "PROVIDERD_TEST_MODE="+tt.mode, fmt.Sprintf(
				"PROVIDERD_TEST_FLEET=[fleet]\nname = \"lab\"\nmember = \"gpu1\"\nendpoints = [%q]\nfleet_key_file = %q\n", endpoint, key))
			out, err := cmd.CombinedOutput()
			said := string(out)
			if err != nil {
				t.Fatalf("%v\n%s", err, tail(said, 10000))
			}
			if n := strings.Count(said, "--- PASS: TestPromise"); n < 6 {
				t.Errorf("only %d tests passed:\n%s", n, said)
			}
			if shared := regexp.MustCompile(`fleet: (connecting|alone), [1-9][0-9]* shared`).FindAllString(said, -1); tt.mode != "" && len(shared) < 6 {
				t.Errorf("their servers were not shared:\n%s", said)
			}
			if endpoint == g.hangs && g.accepted.Load() == 0 {
				t.Error("no daemon tried to reach etcd")
			}
		})
	}
}
