package fleettest

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
)

// A resting daemon probes five providers of the lab's vendor every 10 s. Its memory is what
// counts.
type resting struct {
	*process
	client daemon // asks it
}

// rest starts a daemon of a program on a host.
func rest(l *lab, h *host, program, fleet string) *resting {
	l.t.Helper()
	folder := l.t.TempDir()
	text := strings.Replace(l.cloud(), `interval = "1s"`, `interval = "10s"`, 1)
	for i := range 4 {
		key := filepath.Join(folder, fmt.Sprint("key", i))
		must(l.t, os.WriteFile(key, []byte(l.secret+fmt.Sprint(i)), 0o600))
		text += fmt.Sprintf("[[provider]]\nid = \"cloud%d\"\nkind = \"openai\"\nbase_url = %q\napi_key_file = %q\ninterval = \"10s\"\n", i, l.vendor.url, key)
	}
	file := filepath.Join(folder, "c.toml")
	must(l.t, os.WriteFile(file, []byte(text+fleet), 0o600))
	dir, err := os.MkdirTemp("", "fr") // short: a socket's path has 104 bytes
	must(l.t, err)
	l.t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	r := &resting{client: daemon{t: l.t, name: h.name, socket: socket, http: overSocket(socket)}}
	r.process = spawn(l.t, h.command(program, "--config", file, "--socket", socket, "--state-dir", filepath.Join(folder, "state"), "--log-level", "info"))
	eventually(l.t, "the daemon answers", func() bool {
		c, err := net.Dial("unix", socket)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return r
}

// overSocket is a client that keeps no connection.
func overSocket(path string) *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}}
}

func (r *resting) usage() usage { return usageOf(r.t, r.cmd.Process.Pid) }

// A comparison has the memory of two programs that ran at the same time, several times.
type comparison struct{ ours, theirs []usage }

func (c comparison) say(t testing.TB, ours, theirs string) (anonymous, file int) {
	t.Helper()
	of := func(us []usage, what func(usage) int) int {
		sizes := make([]int, 0, len(us))
		for _, u := range us {
			sizes = append(sizes, what(u))
		}
		slices.Sort(sizes)
		return sizes[len(sizes)/2]
	}
	for _, kind := range []struct {
		name string
		of   func(usage) int
		into *int
	}{
		{"RssAnon", func(u usage) int { return u.anonymous }, &anonymous},
		{"RssFile", func(u usage) int { return u.file }, &file},
	} {
		us, them := of(c.ours, kind.of), of(c.theirs, kind.of)
		*kind.into = us - them
		t.Logf("%s: %s %s, %s %s: %+.2f MiB (medians of %d and %d)", kind.name, ours, mib(us), theirs, mib(them),
			float64(us-them)/(1<<20), len(c.ours), len(c.theirs))
	}
	return anonymous, file
}

// settle is how long a daemon runs before its memory is read: some rounds of probes, and
// Go's collector has run.
const settle = 25 * time.Second

// A member of a fleet of five has at most 3 MiB more than a daemon without a fleet. The test
// fails at twice as much, because other tests run beside it.
func TestMemory_OfAMember(t *testing.T) {
	t.Parallel()
	members := []string{"gpu1", "gpu2", "gpu3", "gpu4", "gpu5"}
	l := newLab(t, false)
	l.users(members...)
	must(t, os.WriteFile(l.key, []byte(config.FleetKeyText(make([]byte, config.FleetKeySize))), 0o600))
	must(t, programs())
	var in, out []*resting
	for i, m := range members {
		in = append(in, rest(l, l.host(m), filepath.Join(bin, "providerd"), l.section(m)))
		out = append(out, rest(l, l.host(fmt.Sprint("plain", i)), filepath.Join(bin, "providerd"), ""))
	}
	time.Sleep(settle)
	var c comparison
	for i := range in {
		var fleet struct {
			Mode, Why string
			Members   []any
		}
		must(t, in[i].client.get("/api/fleet", &fleet))
		if fleet.Mode != "ok" || len(fleet.Members) != len(members) {
			t.Fatalf("%s is not in a fleet of %d: %+v", members[i], len(members), fleet)
		}
		c.ours, c.theirs = append(c.ours, in[i].usage()), append(c.theirs, out[i].usage())
	}
	anonymous, file := c.say(t, "with a fleet of 5", "without")
	if more := anonymous + file; more > 6<<20 {
		t.Errorf("a member has %s more than a daemon without a fleet", mib(more))
	}
}

// Without [fleet], the daemon has the memory of one that knows of no fleets, which
// PROVIDERD_BASE names: a commit or the path of a program.
//
//	PROVIDERD_BASE=6809beb go -C packaging/fleettest test -run Memory_WithoutAFleet -v .
func TestMemory_WithoutAFleet(t *testing.T) {
	base := os.Getenv("PROVIDERD_BASE")
	if base == "" {
		t.Skip("PROVIDERD_BASE names nothing to compare with: set it to a commit, or to the path of a providerd")
	}
	const pairs = 5
	l := newLab(t, false)
	must(t, programs())
	base = buildBase(t, base)
	ours, theirs := l.host("ours"), l.host("theirs")
	var c comparison
	for i := range pairs {
		both := []func(){
			func() { c.ours = append(c.ours, stay(rest(l, ours, filepath.Join(bin, "providerd"), ""))) },
			func() { c.theirs = append(c.theirs, stay(rest(l, theirs, base, ""))) },
		}
		if i%2 == 1 {
			slices.Reverse(both)
		}
		for _, one := range both {
			one()
		}
	}
	anonymous, file := c.say(t, "ours", "before")
	if more := anonymous + file; more > 3<<20 {
		t.Errorf("%s more than before", mib(more))
	}
}

// stay lets a daemon run, and is what it uses in the end.
func stay(r *resting) usage {
	time.Sleep(settle)
	u := r.usage()
	r.signal(syscall.SIGTERM)
	r.wait()
	return u
}

// buildBase returns the providerd of a commit, or the program at a path.
func buildBase(t testing.TB, base string) string {
	t.Helper()
	if info, err := os.Stat(base); err == nil && info.Mode().IsRegular() {
		path, err := filepath.Abs(base)
		must(t, err)
		return path
	}
	tree, program := filepath.Join(t.TempDir(), "tree"), filepath.Join(t.TempDir(), "providerd")
	git := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	git("worktree", "add", "--detach", tree, base)
	t.Cleanup(func() { git("worktree", "remove", "--force", tree) })
	cmd := exec.Command("go", "build", "-o", program, "./cmd/providerd")
	cmd.Dir, cmd.Env = tree, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS="+cmp.Or(os.Getenv("GOFLAGS"), "-buildvcs=false"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", base, err, out)
	}
	return program
}
