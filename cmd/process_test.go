// Package cmd_test tests the promises on real processes: the programs are built once, and
// run as users run them.
package cmd_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// bin is the folder with the programs.
var bin string

// writeProgram writes a file that is run soon. A process that another test starts meanwhile
// would inherit the open file until it executes its own program, and the kernel runs no file
// that somebody has open for writing (go.dev/issue/22315).
func writeProgram(path, text string) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, []byte(text), 0o755)
}

func TestMain(m *testing.M) {
	if play(os.Getenv("PROVIDERD_TEST_ROLE")) {
		return
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "providerd-test")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "./...")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	if err := os.Chmod(dir, 0o755); err != nil { // other users run them too
		panic(err)
	}
	bin = dir
	if err := waitTogether(); err != nil {
		panic(err)
	}
	return m.Run()
}

// waitTogether runs several times as many parallel tests as there are processors, unless
// -parallel is given: they mostly wait for daemons.
func waitTogether() error {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if given {
		return nil
	}
	return flag.Set("test.parallel", strconv.Itoa(4*runtime.GOMAXPROCS(0)))
}

// program is the path of a built program.
func program(name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(bin, name)
}

// A process is a running providerd with its own folder.
type process struct {
	t      testing.TB
	path   string // of the program; empty: the one built from this tree
	dir    string
	socket string
	config string
	level  string          // of the log; empty: debug
	system bool            // it is the system's, whoever runs it
	as     func(*exec.Cmd) // makes it run as another user; nil: as ours
	cmd    *exec.Cmd
	log    *lockedBuffer
	http   *http.Client
	ended  chan struct{}
	err    error
}

// patiently is the head of a configuration whose providers count as healthy, however long
// they take to answer on a busy machine.
const patiently = "[defaults]\ntimeout = \"60s\"\nslow_after = \"60s\"\n"

// newProcess prepares a folder; config is the file's text.
func newProcess(t testing.TB, config string) *process {
	dir, err := os.MkdirTemp("", "pd") // short: a socket's path has 104 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &process{t: t, dir: dir, socket: filepath.Join(dir, "run", "s"), config: filepath.Join(dir, "c.toml"), log: &lockedBuffer{}}
	p.write(config)
	p.http = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", p.socket)
		},
	}}
	t.Cleanup(func() {
		p.http.CloseIdleConnections()
		p.kill()
		if t.Failed() {
			t.Logf("providerd's log:\n%s", p.log)
		}
	})
	return p
}

func (p *process) write(config string) {
	if err := os.WriteFile(p.config, []byte(inFleet(config)), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// inFleet makes a configuration one of a member of the fleet in the environment, which
// packaging/fleettest sets. The test's servers are shared under a name of this machine that the
// daemon does not know.
func inFleet(config string) string {
	fleet := os.Getenv("PROVIDERD_TEST_FLEET")
	if fleet == "" {
		return config
	}
	return strings.ReplaceAll(config, "http://127.0.0.1:", "http://machine.test:") + "\n" + fleet
}

func (p *process) command() *exec.Cmd {
	cmd := exec.Command(cmp.Or(p.path, program("providerd")), "--config", p.config, "--socket", p.socket,
		"--state-dir", filepath.Join(p.dir, "state"), "--log-level", cmp.Or(p.level, "debug"))
	if p.system {
		cmd.Args = append(cmd.Args, "--system")
	}
	cmd.Stderr = p.log
	cmd.Stdout = p.log
	if p.as != nil {
		p.as(cmd)
	}
	return cmd
}

// start starts the daemon and returns when it answers.
func (p *process) start() *process {
	p.t.Helper()
	cmd := p.command()
	return p.started(cmd, cmd.Start())
}

// started takes over a running daemon, and returns when it answers.
func (p *process) started(cmd *exec.Cmd, err error) *process {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	p.cmd = cmd
	p.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		p.err = cmd.Wait()
		close(ended)
	}(p.cmd, p.ended)
	p.until(func() bool {
		select {
		case <-p.ended:
			p.t.Fatalf("providerd ended: %v\n%s", p.err, p.log)
		default:
		}
		conn, err := net.Dial("unix", p.socket)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return p
}

// until polls for what no event reports.
func (p *process) until(done func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); {
		if time.Now().After(deadline) {
			p.t.Fatalf("it never came\n%s", p.log)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// kill ends the process without a chance to say anything.
func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	<-p.ended
	p.cmd = nil
}

// do decodes a reply into v and returns its HTTP status; 0 if the daemon went away
// meanwhile.
func (p *process) do(method, path string, v any) int {
	req, err := http.NewRequest(method, "http://localhost"+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := p.http.Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return 0
	}
	if v != nil {
		if err := json.Unmarshal(body, v); err != nil {
			p.t.Errorf("%s %s: %v in %s", method, path, err, body)
		}
	}
	return res.StatusCode
}

// lockedBuffer is a buffer that a process can write while a test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// The scripts under testdata run the client against a real daemon.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(filepath.ListSeparator)+env.Getenv("PATH"))
			return setupScript(env)
		},
		Cmds:                scriptCommands,
		RequireExplicitExec: true,
	})
}
