package browsertest

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// A server is a provider: a real HTTP server that can die, come back at its address, and
// answer otherwise.
type server struct {
	t       testing.TB
	addr    string
	answers atomic.Pointer[http.HandlerFunc]
	running *http.Server
}

// serve starts a server on this machine.
func serve(t testing.TB, answers http.HandlerFunc) *server {
	t.Helper()
	s := &server{t: t, addr: "127.0.0.1:0"}
	s.answer(answers)
	s.revive()
	t.Cleanup(s.kill)
	return s
}

func (s *server) url() string { return "http://" + s.addr }

// answer makes it answer like this from now on.
func (s *server) answer(answers http.HandlerFunc) { s.answers.Store(&answers) }

// kill ends it, with its connections. A dead server stays dead.
func (s *server) kill() {
	if s.running != nil {
		_ = s.running.Close()
		s.running = nil
	}
}

// revive starts it again at the same address.
func (s *server) revive() {
	s.t.Helper()
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.addr = listener.Addr().String()
	s.running = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*s.answers.Load())(w, r) })}
	go func(running *http.Server) { _ = running.Serve(listener) }(s.running)
}

// pages answers each path with its JSON, and others with 404.
func pages(of map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, ok := of[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, text)
	}
}

// status answers everything with this status and JSON. Headers are pairs of name and value.
func status(code int, text string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprint(w, text)
	}
}

// model is an entry of Ollama's list.
func model(name string, size int64, family, quantization string) string {
	return fmt.Sprintf(`{"name":%q,"model":%q,"size":%d,"digest":"500a1f067a9f782620b40bee6f7b0c89","details":{"format":"gguf","family":%q,"quantization_level":%q,"context_length":40960}}`,
		name, name, size, family, quantization)
}

// ollama answers as Ollama does with these models, of which the first is loaded.
func ollama(models ...string) http.HandlerFunc {
	return pages(map[string]string{
		"/api/version": `{"version":"0.12.3"}`,
		"/api/tags":    `{"models":[` + strings.Join(models, ",") + `]}`,
		"/api/ps":      `{"models":[` + models[0] + `]}`,
	})
}

var (
	qwen   = model("qwen3:8b", 5225388164, "qwen3", "Q4_K_M")
	llama  = model("llama3.3:70b", 42520412561, "llama", "Q4_K_M")
	minilm = model("all-minilm:latest", 45960996, "bert", "F16")
)

// lmstudio answers as LM Studio 0.4 does.
var lmstudio = pages(map[string]string{"/api/v1/models": `{"models":[
	{"type":"llm","publisher":"google","key":"google/gemma-4-26b-a4b","architecture":"gemma4","quantization":{"name":"Q4_K_M"},"size_bytes":17990911801,
	 "loaded_instances":[{"id":"google/gemma-4-26b-a4b","config":{"context_length":4096}}],"max_context_length":262144,"format":"gguf"},
	{"type":"embedding","publisher":"gaianet","key":"text-embedding-nomic-embed-text-v1.5","size_bytes":274290560,"loaded_instances":[],"max_context_length":2048}]}`})

// llamacppLoading answers as llama.cpp does while it loads its model.
var llamacppLoading = status(503, `{"error":{"message":"Loading model","type":"unavailable_error","code":503}}`, "Server", "llama.cpp")

// vllm answers as vLLM does.
func vllm(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/health":
		w.Header().Set("Content-Type", "text/plain")
	case "/metrics":
		w.Header().Set("Content-Type", "text/plain; version=1.0.0; charset=utf-8")
		fmt.Fprint(w, "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{engine=\"0\",model_name=\"Qwen/Qwen3-32B\"} 0.0\n")
	default:
		pages(map[string]string{
			"/v1/models": `{"object":"list","data":[{"id":"Qwen/Qwen3-32B","object":"model","owned_by":"vllm","root":"Qwen/Qwen3-32B","max_model_len":40960}]}`,
			"/version":   `{"version":"0.11.2"}`,
		})(w, r)
	}
}

// Answers of the vendors to what is wrong.
var (
	openaiLimited     = status(429, `{"error":{"message":"Rate limit reached for requests","type":"requests","code":"rate_limit_exceeded"}}`, "Retry-After", "600")
	anthropicRejected = status(401, `{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}`)
)

// A zoo is a daemon with providers of the usual kinds in their usual states.
type zoo struct {
	*daemon
	ollama, lmstudio, llamacpp, vllm, openai, anthropic *server
}

// keys are the variables of the daemon that hold the zoo's keys.
var keys = []string{"ZOO_OPENAI_KEY=test-key-of-nobody", "ZOO_ANTHROPIC_KEY=test-key-of-nobody"}

// startZoo starts providers in all of the states that a person meets, and a daemon that
// has probed each: two run, and the others load, are limited, rejected the key, or are not there.
func startZoo(t testing.TB) *zoo {
	t.Helper()
	z := &zoo{
		ollama: serve(t, ollama(qwen, llama, minilm)), lmstudio: serve(t, lmstudio), llamacpp: serve(t, llamacppLoading),
		vllm: serve(t, vllm), openai: serve(t, openaiLimited), anthropic: serve(t, anthropicRejected),
	}
	z.vllm.kill()
	var config strings.Builder
	config.WriteString("[defaults]\ninterval = \"1h\"\ntimeout = \"20s\"\nslow_after = \"20s\"\n") // a change is seen only at once
	entry := func(id, kind, url, more string) {
		fmt.Fprintf(&config, "[[provider]]\nid = %q\nkind = %q\nbase_url = %q\n%s", id, kind, url, more)
	}
	entry("ollama", "ollama", z.ollama.url(), "")
	entry("lmstudio", "lmstudio", z.lmstudio.url(), "")
	entry("llamacpp", "llamacpp", z.llamacpp.url(), "")
	entry("vllm", "vllm", z.vllm.url(), "")
	entry("openai", "openai", z.openai.url()+"/v1", "api_key_env = \"ZOO_OPENAI_KEY\"\n")
	entry("anthropic", "anthropic", z.anthropic.url(), "api_key_env = \"ZOO_ANTHROPIC_KEY\"\n")
	z.daemon = startDaemon(t, config.String(), keys...)
	want := map[string]string{"ollama": "RUNNING", "lmstudio": "RUNNING", "llamacpp": "STARTING", "vllm": "STOPPED", "openai": "DEGRADED", "anthropic": "ERROR"}
	for _, r := range z.settled() {
		if r.State != want[r.ID] {
			t.Fatalf("%s is %s, %s (%s), not %s", r.ID, r.State, r.Reason, r.Detail, want[r.ID])
		}
	}
	return z
}
