package fleettest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// programs builds providerd and providerctl of this tree, once.
var programs = sync.OnceValue(func() error {
	cmd := exec.Command("go", "build", "-o", bin+"/", "./cmd/providerd", "./cmd/providerctl")
	cmd.Dir, cmd.Env = filepath.Join("..", ".."), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	return nil
})

// A daemon is a real providerd on a host of its own.
type daemon struct {
	t      testing.TB
	host   *host
	name   string // member
	config string // without [fleet]; change it, then restart or reload
	fleet  string // [fleet]; "": none
	dir    string
	socket string
	http   *http.Client
	path   string   // of the program
	env    []string // besides that of the test
	*process
}

// newDaemon starts a daemon with a configuration, on a host of its own. fleet is its [fleet],
// which [lab.section] makes.
func newDaemon(t testing.TB, h *host, config, fleet string) *daemon {
	t.Helper()
	d := prepare(t, h, config, fleet)
	d.start()
	return d
}

// prepare is a daemon that is not started yet.
func prepare(t testing.TB, h *host, config, fleet string) *daemon {
	t.Helper()
	must(t, programs())
	dir, err := os.MkdirTemp("", "fd") // short: a socket's path has 104 bytes
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &daemon{
		t: t, host: h, name: h.name, config: config, fleet: fleet, dir: dir, socket: filepath.Join(dir, "run", "s"),
		path: filepath.Join(bin, "providerd"),
	}
	d.http = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", d.socket)
		},
	}}
	return d
}

// start starts it, and returns when it answers.
func (d *daemon) start() {
	d.t.Helper()
	file := filepath.Join(d.dir, "c.toml")
	must(d.t, os.WriteFile(file, []byte(d.config+"\n"+d.fleet), 0o600))
	cmd := d.host.command(d.path, "--config", file, "--socket", d.socket, "--state-dir", filepath.Join(d.dir, "state"), "--log-level", "info")
	cmd.Env = append(os.Environ(), d.env...)
	d.process = spawn(d.t, cmd)
	eventually(d.t, d.name+" answers", func() bool {
		c, err := net.Dial("unix", d.socket)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// stop ends it in order.
func (d *daemon) stop() {
	d.t.Helper()
	d.signal(syscall.SIGTERM)
	d.wait()
}

// freeze stops its process, and thaw continues it.
func (d *daemon) freeze() { d.t.Helper(); d.signal(syscall.SIGSTOP) }
func (d *daemon) thaw()   { d.t.Helper(); d.signal(syscall.SIGCONT) }

// ctl runs providerctl on the daemon's host, and is its output and exit code.
func (d *daemon) ctl(args ...string) (string, int) {
	d.t.Helper()
	cmd := d.host.command(filepath.Join(bin, "providerctl"), append([]string{"--socket", d.socket}, args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if cmd.ProcessState == nil {
		d.t.Fatalf("providerctl: %v", err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// get decodes the JSON at a path of the API.
func (d *daemon) get(path string, into any) error {
	answer, err := d.http.Get("http://providerd" + path)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

// A row is what a daemon knows of a provider, as far as tests read it.
type row struct {
	ID      string `json:"id"`
	State   string `json:"state"`
	Reason  string `json:"reason"`
	Source  string `json:"source"`
	By      string `json:"by"`
	RetryAt string `json:"retry_at"`

	CheckedAt time.Time `json:"checked_at"`
}

// row is a provider's row; empty: there is none.
func (d *daemon) row(id string) row {
	d.t.Helper()
	var r row
	if err := d.get("/api/providers/"+id, &r); err != nil {
		return row{}
	}
	return r
}

// until waits until a provider's row is as wanted.
func (d *daemon) until(what, id string, wanted func(row) bool) row {
	d.t.Helper()
	var r row
	deadline := time.Now().Add(40 * time.Second)
	for {
		if r = d.row(id); wanted(r) {
			return r
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("not in time: %s: %s of %s: %+v", d.name, what, id, r)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// eventually waits until something is true.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(40 * time.Second)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatal("not in time: " + what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// A lab is a fleet in a network: an etcd of three servers, one vendor, and daemons.
type lab struct {
	*network
	*cluster
	t       testing.TB
	etcd    []*host
	vendor  *vendor
	key     string // file of the fleet's key
	secret  string // API key of the provider "cloud", the same at each member
	daemons map[string]*daemon
}

// newLab makes the network, starts etcd and the vendor, and a daemon for each member with the
// provider "cloud". fleet adds [fleet] to the configurations.
func newLab(t testing.TB, fleet bool, members ...string) *lab {
	t.Helper()
	n := newNetwork(t)
	l := &lab{network: n, t: t, secret: "sk-test-0123456789abcdefghij", daemons: map[string]*daemon{}}
	l.cluster = &cluster{t: t, edition: newest(), authority: newAuthority(t, t.TempDir())}
	var addresses []string
	var inside [][]string
	for i := range 3 {
		h := n.host(fmt.Sprint("etcd", i+1))
		l.etcd, addresses, inside = append(l.etcd, h), append(addresses, h.address), append(inside, h.inside())
	}
	l.cluster.through = n.host("admin")
	l.vendor = newVendor(t, n.host("vendor"))
	l.key = filepath.Join(l.authority.dir, "fleet_key")
	must(t, programs())
	key, err := exec.Command(filepath.Join(bin, "providerd"), "fleet", "key").Output()
	must(t, err)
	must(t, os.WriteFile(l.key, key, 0o600))
	l.cluster.launch(addresses, inside)
	l.cluster.enable(members...)
	for _, m := range members {
		section := ""
		if fleet {
			section = l.section(m)
		}
		l.daemons[m] = newDaemon(t, n.host(m), l.cloud(), section)
	}
	return l
}

// cloud is the configuration of the provider that all members share.
func (l *lab) cloud() string {
	file := filepath.Join(l.authority.dir, "api_key")
	must(l.t, os.WriteFile(file, []byte(l.secret), 0o600))
	return fmt.Sprintf(`autodetect = false
[[provider]]
id = "cloud"
kind = "openai-compatible"
base_url = %q
api_key_file = %q
interval = "1s"
`, l.vendor.url, file)
}

// section is [fleet] of a member.
func (l *lab) section(member string) string { return l.sectionAt(member, l.endpoints()) }

// sectionAt is [fleet] of a member that reaches etcd's servers elsewhere.
func (l *lab) sectionAt(member string, endpoints []string) string {
	p := l.authority.client(member, time.Hour)
	list, err := json.Marshal(endpoints)
	must(l.t, err)
	return fmt.Sprintf(`[fleet]
name = "lab"
endpoints = %s
ca_file = %q
cert_file = %q
key_file = %q
fleet_key_file = %q
`, list, l.authority.file(), p.cert, p.key, l.key)
}
