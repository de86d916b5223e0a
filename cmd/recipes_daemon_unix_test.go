//go:build unix

package cmd_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// A model server of the recipes answers like Ollama and like OpenAI's API.
type modelServer struct {
	*httptest.Server
	hung, limited, rejects atomic.Bool
}

func newModelServer(t *testing.T) *modelServer {
	m := &modelServer{}
	m.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/restart":
			m.hung.Store(false)
		case m.hung.Load():
			_, _ = io.Copy(io.Discard, r.Body) // else the end of the client is not seen
			<-r.Context().Done()
		case m.rejects.Load():
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path != "/v1/chat/completions" && r.URL.Path != "/v1/messages":
			answerAsOllama(w, r)
		case m.limited.Load():
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusTooManyRequests)
		default:
			fmt.Fprintf(w, `{"choices":[{"message":{"content":"hello from %s"}}]}`, r.Host)
		}
	}))
	address, free, err := ownPort() // where nobody listens once it is closed
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(free)
	m.Listener.Close()
	if m.Listener, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	m.Start()
	t.Cleanup(m.Close)
	return m
}

// A recipeDaemon is what recipes are tried on: a daemon with two providers, and a folder
// with stand-ins for the programs that a recipe runs.
type recipeDaemon struct {
	*process
	local, cloud *modelServer
	key          string
	env          []string
}

func newRecipeDaemon(t *testing.T) *recipeDaemon {
	k := &recipeDaemon{local: newModelServer(t), cloud: newModelServer(t)}
	k.process = newProcess(t, "")
	k.key = k.file("key", "test-key-of-openai")
	k.configure("60s")
	k.start()
	k.env = append(os.Environ(), "PROVIDERD_SOCKET="+k.socket, "OPENAI_API_KEY=test-key-of-openai", "GITHUB_STEP_SUMMARY="+filepath.Join(k.dir, "summary.md"),
		"PATH="+strings.Join([]string{k.dir, bin, os.Getenv("PATH")}, string(filepath.ListSeparator)))
	k.tool("agent", `echo "agent $* at ${OPENAI_BASE_URL-} with ${OPENAI_API_KEY-}"`)
	k.ctl("refresh", "--wait")
	return k
}

// configure writes the file. An answer of the local server may take that long, and none is
// called slow, because the test's machine is busy.
func (k *recipeDaemon) configure(timeout string) {
	k.write(fmt.Sprintf("[defaults]\nslow_after = \"60s\"\n"+
		"[[provider]]\nid = \"ollama\"\nkind = \"ollama\"\nbase_url = %q\ntimeout = %q\n"+
		"[[provider]]\nid = \"openai\"\nkind = \"openai\"\nbase_url = \"%s/v1\"\ntimeout = \"60s\"\napi_key_file = %q\n", k.local.URL, timeout, k.cloud.URL, k.key))
}

// hang makes the local server stop answering, and returns when the daemon, which is then
// given a shorter timeout, has seen it.
func (k *recipeDaemon) hang() {
	k.t.Helper()
	k.local.hung.Store(true)
	k.configure("2s")
	k.ctl("reload")
	k.ctl("wait", "ollama", "--for", "DEGRADED", "--timeout", "60s")
}

// tool puts a program into the folder.
func (k *recipeDaemon) tool(name, script string) {
	if err := writeProgram(filepath.Join(k.dir, name), "#!/bin/sh\n"+script+"\n"); err != nil {
		k.t.Fatal(err)
	}
}

// ctl runs providerctl, which must succeed.
func (k *recipeDaemon) ctl(args ...string) string {
	k.t.Helper()
	out, _, code := k.run(append([]string{program("providerctl")}, args...)...)
	if code != 0 {
		k.t.Fatalf("providerctl %v exits with %d", args, code)
	}
	return out
}

// command is a program with the recipe's folder and environment.
func (k *recipeDaemon) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(k.t.Context(), args[0], args[1:]...)
	cmd.Dir, cmd.Env = k.dir, k.env
	return cmd
}

// run runs a program to its end.
func (k *recipeDaemon) run(args ...string) (out, talk string, code int) {
	k.t.Helper()
	cmd := k.command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); cmd.ProcessState == nil {
		k.t.Fatal(err)
	}
	k.t.Logf("%s: exit code %d\n%s%s", args[0], cmd.ProcessState.ExitCode(), stdout.String(), stderr.String())
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// sh runs a recipe as a script.
func (k *recipeDaemon) sh(recipe string) (out, talk string, code int) {
	k.t.Helper()
	return k.run("sh", "-u", k.file("recipe.sh", recipe))
}

func (k *recipeDaemon) file(name, text string) string {
	path := filepath.Join(k.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		k.t.Fatal(err)
	}
	return path
}

// needs skips the test if a program that the recipe uses is not installed.
func needs(t *testing.T, programs ...string) {
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip("no " + name)
		}
	}
}
