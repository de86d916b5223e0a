package fleettest

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/providerd/providerd/daemon/fleet/etcd"
)

const prefix = "/providerd/v1/lab/"

// A cluster is one etcd of one or three servers, on loopback, with certificates, a user for
// each of the members and the one role.
type cluster struct {
	t         testing.TB
	edition   edition
	authority *authority
	servers   []*server
	through   *host // from which root reaches etcd; nil: this machine
}

// A server is a process of etcd's.
type server struct {
	t      testing.TB
	name   string
	args   []string
	path   string
	url    string
	cmd    *exec.Cmd
	log    string
	inside []string // a command that runs another in a network namespace; nil: none
}

// start starts n servers with users of these names.
func start(t testing.TB, e edition, n int, members ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, edition: e, authority: newAuthority(t, t.TempDir())}
	var addresses []string
	for range n {
		addresses = append(addresses, ownAddress())
	}
	c.launch(addresses, nil)
	c.enable(members...)
	return c
}

// launch starts a server at each address. inside is a command for each, that runs another
// command in a namespace; nil: none.
func (c *cluster) launch(addresses []string, inside [][]string) {
	c.t.Helper()
	dir := c.folder()
	files := c.authority.server("etcd", addresses...)
	var peers []string
	for i, address := range addresses {
		s := &server{
			t: c.t, name: fmt.Sprint("etcd", i+1), path: c.edition.path,
			url: fmt.Sprintf("https://%s:2379", address),
			log: filepath.Join(dir, fmt.Sprint("etcd", i+1, ".log")),
		}
		if inside != nil {
			s.inside = inside[i]
		}
		peerURL := fmt.Sprintf("http://%s:2380", address)
		peers = append(peers, s.name+"="+peerURL)
		s.args = []string{
			"--name", s.name, "--data-dir", filepath.Join(dir, s.name),
			"--listen-client-urls", s.url, "--advertise-client-urls", s.url,
			"--listen-peer-urls", peerURL, "--initial-advertise-peer-urls", peerURL,
			"--client-cert-auth", "--trusted-ca-file", c.authority.file(),
			"--cert-file", files.cert, "--key-file", files.key,
			"--heartbeat-interval", "50", "--election-timeout", "500",
			"--log-level", "warn",
		}
		if !c.edition.older {
			s.args = append(s.args, "--unsafe-no-fsync") // no power fails here
		}
		c.servers = append(c.servers, s)
	}
	for _, s := range c.servers {
		s.args = append(s.args, "--initial-cluster", strings.Join(peers, ","))
		s.start()
	}
	c.t.Cleanup(func() {
		for _, s := range c.servers {
			s.kill()
			if c.t.Failed() {
				said, _ := os.ReadFile(s.log)
				c.t.Logf("%s said:\n%s", s.name, tail(string(said), 3000))
			}
		}
	})
}

// folder is for the servers' data. etcd 3.4 cannot do without fsync, and its calls time out while
// this machine's disk is busy with other things; so its data is in memory, if that is possible.
func (c *cluster) folder() string {
	c.t.Helper()
	if c.edition.older {
		if dir, err := os.MkdirTemp("/dev/shm", "fleettest"); err == nil {
			c.t.Cleanup(func() { os.RemoveAll(dir) })
			return dir
		}
	}
	return c.t.TempDir()
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

func (s *server) start() {
	s.t.Helper()
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(s.t, err)
	defer log.Close()
	command := append(append([]string{}, s.inside...), s.path)
	s.cmd = exec.Command(command[0], append(command[1:], s.args...)...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.Env = []string{"ETCD_UNSUPPORTED_ARCH=arm64", "HOME=/nonexistent", "GOGC=50"} // as docs/fleet.md sets it up
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(s.t, s.cmd.Start())
}

// kill ends the server without giving it time.
func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // killed
	s.cmd = nil
}

// signal sends the server a signal, such as SIGSTOP.
func (s *server) signal(sig os.Signal) {
	s.t.Helper()
	must(s.t, s.cmd.Process.Signal(sig))
}

// restart kills the server, and starts it again over its data.
func (s *server) restart() {
	s.t.Helper()
	s.kill()
	s.start()
}

// enable makes users and the role, and turns authentication on.
func (c *cluster) enable(members ...string) {
	c.t.Helper()
	c.admin(func(ctx context.Context, root *clientv3.Client) {
		c.until("etcd answers", func() error {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_, err := root.Get(ctx, "ready")
			return err
		})
		do := func(_ any, err error) { c.t.Helper(); must(c.t, err) }
		do(root.RoleAdd(ctx, "root"))
		do(root.UserAddWithOptions(ctx, "root", "", &clientv3.UserAddOptions{NoPassword: true}))
		do(root.UserGrantRole(ctx, "root", "root"))
		do(root.RoleAdd(ctx, "fleet"))
		do(root.RoleGrantPermission(ctx, "fleet", prefix, clientv3.GetPrefixRangeEnd(prefix), clientv3.PermissionType(clientv3.PermReadWrite)))
		do(root.AuthEnable(ctx))
	})
	c.users(members...)
}

// users makes more users with the role.
func (c *cluster) users(members ...string) {
	c.t.Helper()
	c.admin(func(ctx context.Context, root *clientv3.Client) {
		for _, m := range members {
			_, err := root.UserAddWithOptions(ctx, m, "", &clientv3.UserAddOptions{NoPassword: true})
			must(c.t, err)
			_, err = root.UserGrantRole(ctx, m, "fleet")
			must(c.t, err)
		}
	})
}

// admin does something as root, with etcd's own client.
func (c *cluster) admin(do func(context.Context, *clientv3.Client)) {
	c.t.Helper()
	files := c.authority.client("root", time.Hour)
	config, err := etcd.Files(c.authority.file(), files.cert, files.key)()
	must(c.t, err)
	options := clientv3.Config{Endpoints: c.endpoints(), TLS: config, DialTimeout: 10 * time.Second, Logger: zap.NewNop()}
	if c.through != nil {
		options.DialOptions = []grpc.DialOption{grpc.WithContextDialer(c.through.dial)}
	}
	root, err := clientv3.New(options)
	must(c.t, err)
	defer root.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	do(ctx, root)
}

func (c *cluster) endpoints() []string {
	var urls []string
	for _, s := range c.servers {
		urls = append(urls, s.url)
	}
	return urls
}

// files are the certificate of a member, made now.
func (c *cluster) files(member string) func() (*tls.Config, error) {
	c.t.Helper()
	p := c.authority.client(member, time.Hour)
	return etcd.Files(c.authority.file(), p.cert, p.key)
}

// until waits until something works.
func (c *cluster) until(what string, works func() error) {
	c.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := works()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("not in time: %s: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

var addressesGiven atomic.Uint32

// ownAddress is a loopback address for one server, so that nobody else takes its ports after a
// test has killed it.
func ownAddress() string {
	n := addressesGiven.Add(1)
	return net.IPv4(127, byte(64+os.Getpid()%128), byte(n>>8), byte(n)).String()
}

// port is a free one.
func port(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
