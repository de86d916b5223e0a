package cmd_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

const (
	lmStudioKey = "test-key-for-lm-studio-alone"
	llamaKey    = "test-key-for-llama-cpp-alone"
	vllmKey     = "test-key-for-vllm-alone"
	openAIKey   = "test-key-for-openai-alone"
)

// Any user can listen at the port where a vendor's server is expected. Only root and the
// daemon's own user are given a key there, unless the configuration file has the address.
// The ports are those of the test's own network namespace, which has a second address on
// one interface: connections to that come from the first.
func TestPromise7_AKeyGoesOnlyToWhomItBelongs(t *testing.T) {
	t.Parallel()
	here, _ := newNamespaces(t)
	heard := filepath.Join(t.TempDir(), "heard")
	if err := os.WriteFile(heard, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{heard, filepath.Dir(heard), filepath.Dir(filepath.Dir(heard))} {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	const second = "10.77.0.9:8000"
	ip(t, "-n", here, "addr", "add", "10.77.0.9/24", "dev", "cable")
	inNamespace(t, here, func() {
		for _, address := range []string{"127.0.0.1:1234", "127.0.0.1:8000", second} {
			begin(t, alone(otherUID), "eavesdrop", eavesdropping{address, heard})
		}
	})
	var mu sync.Mutex
	var ours []string
	serveIn(t, here, "127.0.0.1:8080", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		ours = append(ours, r.Header.Get("Authorization"))
		mu.Unlock()
		answerWithModels(w, r)
	}))
	const unsaid = `
autodetect = true
` + patiently + `
[[provider]]
id = "openai"
kind = "openai"
[[provider]]
id = "vllm"
kind = "vllm"
`
	p := newProcess(t, unsaid)
	cmd := p.command()
	cmd.Env = append(os.Environ(), "LM_API_TOKEN="+lmStudioKey, "LLAMA_API_KEY="+llamaKey, "VLLM_API_KEY="+vllmKey,
		"OPENAI_API_KEY="+openAIKey, "OPENAI_BASE_URL=http://"+second+"/v1")
	var err error
	inNamespace(t, here, func() { err = cmd.Start() })
	p.started(cmd, err)
	for _, id := range []string{"lmstudio", "llamacpp", "vllm", "openai"} {
		p.ctl("refresh", id, "--wait")
	}
	said := func() string {
		text, err := os.ReadFile(heard)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if text := said(); strings.Contains(text, lmStudioKey) || strings.Contains(text, vllmKey) || strings.Contains(text, openAIKey) || !strings.Contains(text, "GET ") {
		t.Errorf("a stranger heard:\n%s", text)
	}
	mu.Lock()
	if !strings.Contains(fmt.Sprint(ours), llamaKey) {
		t.Errorf("our own server was not given its key: %q", ours)
	}
	mu.Unlock()
	for _, id := range []string{"lmstudio", "vllm", "openai"} {
		row := p.row(id)
		if row.Reason != provider.KeyWithheld || !strings.Contains(row.Hint, `base_url = "http://1`) {
			t.Errorf("%s: %s %q, hint %q", id, row.Reason, row.Detail, row.Hint)
		}
		if out := p.ctl("diagnose", id); !strings.Contains(out, fmt.Sprintf("uid %d listens there", otherUID)) {
			t.Errorf("diagnose does not say who was not given the key:\n%s", out)
		}
	}
	if row := p.row("llamacpp"); int(row.PID) != os.Getpid() || row.PIDExists == nil || !*row.PIDExists {
		t.Errorf("llamacpp is served by %d, and not by this process, %d", row.PID, os.Getpid())
	}

	p.write(unsaid + "base_url = \"http://127.0.0.1:8000\"\n")
	p.ctl("reload")
	p.ctl("refresh", "vllm", "--wait")
	if text := said(); !strings.Contains(text, vllmKey) || strings.Contains(text, lmStudioKey) {
		t.Errorf("with the address in the file a stranger heard:\n%s", text)
	}
}

// row is the daemon's row of a provider.
func (p *process) row(id string) (row provider.Status) {
	p.t.Helper()
	p.do("GET", "/api/providers/"+id, &row)
	return row
}

// An eavesdropping is a server that records what it receives.
type eavesdropping struct{ Address, File string }

func playEavesdrop() {
	task := taskOf[eavesdropping]()
	l, err := net.Listen("tcp", task.Address)
	if err != nil {
		panic(err)
	}
	underWay()
	panic(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, err := os.OpenFile(task.File, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			panic(err)
		}
		defer f.Close()
		fmt.Fprintln(f, r.Method, r.URL, r.Header)
		answerWithModels(w, r)
	})))
}

// answerWithModels answers like a server of OpenAI's API to a client with a key.
func answerWithModels(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") == "" {
		http.Error(w, `{"error":{"message":"a key is needed","type":"invalid_request_error"}}`, http.StatusUnauthorized)
		return
	}
	fmt.Fprint(w, `{"object":"list","data":[{"id":"m","object":"model","owned_by":"llamacpp"}]}`)
}
