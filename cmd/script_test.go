package cmd_test

import (
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// setupScript gives a script a short folder for sockets, no configuration of the user who
// runs the tests, and fake providers that it can start and stop.
func setupScript(env *testscript.Env) error {
	run, err := os.MkdirTemp("", "pd")
	if err != nil {
		return err
	}
	fakes := &fakes{}
	env.Values["fakes"] = fakes
	env.Defer(func() {
		fakes.stopAll()
		os.RemoveAll(run)
	})
	env.Setenv("RUN", run)
	env.Setenv("PROVIDERD_SOCKET", filepath.Join(run, "s"))
	env.Setenv("LANG", "C.UTF-8")
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("XDG_RUNTIME_DIR", run)
	env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
	env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
	return nil
}

var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"fake":    fakeCommand,
	"exits":   exitsCommand,
	"expand":  expandCommand,
	"answers": answersCommand,
}

// answers returns when a daemon listens at $PROVIDERD_SOCKET, which on a busy machine can
// take longer than a client's patience.
func answersCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: answers")
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
		conn, err := net.Dial("unix", ts.Getenv("PROVIDERD_SOCKET"))
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("no daemon answers: %v", err)
		}
	}
}

// exits CODE PROGRAM [ARG…] runs a program that must end with that exit code.
func exitsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// expand FILE replaces $VAR in a file of the script.
func expandCommand(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		path := ts.MkAbs(name)
		ts.Check(os.WriteFile(path, []byte(os.Expand(ts.ReadFile(name), ts.Getenv)), 0o600))
	}
}

// fake reserve|start|stop NAME: a server that answers like Ollama. Its address is in $NAME
// and stays the same; before the first start, and after a stop, nothing listens there.
func fakeCommand(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: fake reserve|start|stop NAME")
	}
	all := ts.Value("fakes").(*fakes)
	name := args[1]
	switch args[0] {
	case "reserve":
		ts.Setenv(name, "http://"+all.reserve(ts, name))
	case "start":
		all.start(ts, name)
		ts.Setenv(name, "http://"+all.address[name])
	case "stop":
		all.stop(name)
	default:
		ts.Fatalf("fake %s: no such thing", args[0])
	}
}

// fakes are a script's servers by name. Each keeps its port.
type fakes struct {
	mu      sync.Mutex
	address map[string]string
	servers map[string]*http.Server
	held    []func()
}

// reserve finds a port for a server that does not listen yet.
func (f *fakes) reserve(ts *testscript.TestScript, name string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listen(ts, name).Close()
	return f.address[name]
}

// listen listens at the address of a server, or at a free one if it has none.
func (f *fakes) listen(ts *testscript.TestScript, name string) net.Listener {
	if f.address == nil {
		f.address, f.servers = map[string]string{}, map[string]*http.Server{}
	}
	if f.address[name] == "" {
		address, free, err := ownPort()
		ts.Check(err)
		f.address[name], f.held = address, append(f.held, free)
	}
	l, err := net.Listen("tcp", f.address[name])
	ts.Check(err)
	return l
}

// ownPort is an address of this machine that no other program gets until it is freed.
// Nothing listens there before the caller does.
func ownPort() (address string, free func(), err error) {
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", nil, err
		}
		address = l.Addr().String()
		l.Close()
		if free, err = hold(address); err == nil {
			return address, free, nil
		}
	}
	return "", nil, errors.New("no port can be held")
}

func (f *fakes) start(ts *testscript.TestScript, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.listen(ts, name)
	server := &http.Server{Handler: http.HandlerFunc(answerAsOllama)}
	f.servers[name] = server
	go func() { _ = server.Serve(l) }()
}

func (f *fakes) stop(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.servers[name]; s != nil {
		_ = s.Close()
	}
}

func (f *fakes) stopAll() {
	for name := range f.servers {
		f.stop(name)
	}
	for _, free := range f.held {
		free()
	}
}

func answerAsOllama(w http.ResponseWriter, r *http.Request) {
	bodies := map[string]string{
		"/":            "Ollama is running",
		"/api/version": `{"version":"0.12.3"}`,
		"/api/tags": `{"models":[{"name":"qwen3:8b","model":"qwen3:8b","size":5225388164,` +
			`"details":{"family":"qwen3","parameter_size":"8.2B","quantization_level":"Q4_K_M"}}]}`,
		"/api/ps":    `{"models":[]}`,
		"/v1/models": `{"object":"list","data":[{"id":"qwen3:8b","object":"model","owned_by":"library"}]}`,
	}
	body, ok := bodies[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if strings.HasPrefix(body, "{") {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	_, _ = w.Write([]byte(body))
}
