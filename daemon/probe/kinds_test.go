package probe_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

var (
	yes, no = true, false
	allAsk  = probe.Ask{Facts: true}
	missing = page{status: 404, body: "404 page not found"}
)

func TestOllama(t *testing.T) {
	t.Parallel()
	tags := jsonPage(`{"models":[{"name":"qwen3:8b","model":"qwen3:8b","size":5200000000,"details":{"family":"qwen3","quantization_level":"Q4_K_M"}},{"name":"tiny","size":7}]}`)
	pages := map[string]page{
		"/api/version": jsonPage(`{"version":"0.12.3"}`),
		"/api/tags":    tags,
		"/api/ps":      jsonPage(`{"models":[{"name":"tiny"}]}`),
	}
	t.Run("facts", func(t *testing.T) {
		t.Parallel()
		s := serve(t, site(pages, missing))
		o := once(t, configured(t, "ollama", s.url, ""), probe.Options{}, allAsk)
		want := probe.Facts{
			Version: "0.12.3",
			Models: []provider.Model{
				{ID: "qwen3:8b", Size: 5200000000, Family: "qwen3", Quantization: "Q4_K_M", Loaded: &no},
				{ID: "tiny", Size: 7, Loaded: &yes},
			},
			Loaded: []string{"tiny"},
		}
		if diff := cmp.Diff(want, o.Facts); o.Saw != provider.OK || diff != "" {
			t.Errorf("saw %s, facts (-want +got):\n%s", o.Saw, diff)
		}
	})
	t.Run("no model is an empty list, not an unknown one", func(t *testing.T) {
		t.Parallel()
		s := serve(t, site(map[string]page{
			"/api/version": pages["/api/version"],
			"/api/tags":    jsonPage(`{"models":null}`),
			"/api/ps":      jsonPage(`{"models":[]}`),
		}, missing))
		o := once(t, configured(t, "ollama", s.url, ""), probe.Options{}, allAsk)
		if o.Facts.Models == nil || len(o.Facts.Models) != 0 || o.Facts.Loaded == nil {
			t.Errorf("facts: %+v", o.Facts)
		}
	})
	t.Run("without facts one request is sent", func(t *testing.T) {
		t.Parallel()
		s := serve(t, site(pages, missing))
		o := once(t, configured(t, "ollama", s.url, ""), probe.Options{}, probe.Ask{})
		if asked := s.asked(); !slices.Equal(asked, []string{"/api/version"}) || o.Facts.Models != nil {
			t.Errorf("asked for %v, facts %+v", asked, o.Facts)
		}
	})
	t.Run("silent ps means that a model is loading", func(t *testing.T) {
		t.Parallel()
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/ps" {
				<-r.Context().Done()
				return
			}
			site(pages, missing)(w, r)
		})
		p := configured(t, "ollama", s.url, "")
		p.Timeout = 600 * time.Millisecond
		o := once(t, p, probe.Options{}, allAsk)
		if o.Saw != provider.OK || o.Facts.Note != "a model is loading" {
			t.Errorf("saw %s %q, note %q", o.Saw, o.Detail, o.Facts.Note)
		}
		if names(o) != "qwen3:8b tiny" || o.Facts.Loaded != nil {
			t.Errorf("facts: %+v", o.Facts)
		}
		if o.Latency > p.Timeout/2 || o.Took > p.Timeout+5*time.Second {
			t.Errorf("latency %s, took %s", o.Latency, o.Took)
		}
	})
	t.Run("a server that takes long for everything is not loading", func(t *testing.T) {
		t.Parallel()
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			select { // it is slow, and that is the subject
			case <-time.After(200 * time.Millisecond):
				site(pages, missing)(w, r)
			case <-r.Context().Done():
			}
		})
		p := configured(t, "ollama", s.url, "")
		p.Timeout = 380 * time.Millisecond
		o := once(t, p, probe.Options{}, allAsk)
		if o.Facts.Note != "" || o.Facts.Models != nil {
			t.Errorf("saw %s %q, facts %+v", o.Saw, o.Detail, o.Facts)
		}
	})
	t.Run("failing facts change no verdict", func(t *testing.T) {
		t.Parallel()
		for _, sick := range []page{missing, {status: 500}, {status: 401}, jsonPage(`[`), jsonPage(`{"models":7}`)} {
			s := serve(t, site(map[string]page{"/api/version": pages["/api/version"]}, sick))
			o := once(t, configured(t, "ollama", s.url, ""), probe.Options{}, allAsk)
			if o.Saw != provider.OK || o.Facts.Models != nil || o.Facts.Loaded != nil {
				t.Errorf("%+v: saw %s, facts %+v", sick, o.Saw, o.Facts)
			}
		}
	})
	t.Run("403 with an empty body is the Host check", func(t *testing.T) {
		t.Parallel()
		s := serve(t, page{status: 403}.ServeHTTP)
		o := once(t, configured(t, "ollama", s.url, ""), probe.Options{}, probe.Ask{})
		if o.Saw != provider.Forbidden || !strings.Contains(o.Detail, "OLLAMA_HOST") {
			t.Errorf("saw %s %q", o.Saw, o.Detail)
		}
	})
}

func TestLMStudio(t *testing.T) {
	t.Parallel()
	unknown := jsonPage(`{"error":"Unexpected endpoint or method. (GET /somewhere)"}`)
	v1 := jsonPage(`{"models":[
		{"type":"llm","key":"qwen/qwen3-4b","size_bytes":2280000000,"architecture":"qwen3","quantization":{"name":"Q4_K_M"},"max_context_length":32768,"loaded_instances":[{"id":"qwen/qwen3-4b","config":{"context_length":4096}}]},
		{"type":"embedding","key":"nomic","loaded_instances":[]}]}`)
	v0 := jsonPage(`{"object":"list","data":[
		{"id":"qwen/qwen3-4b","object":"model","type":"llm","arch":"qwen3","quantization":"Q4_K_M","state":"loaded","max_context_length":32768},
		{"id":"nomic","object":"model","type":"embeddings","state":"not-loaded"}]}`)
	plain := jsonPage(`{"object":"list","data":[{"id":"qwen/qwen3-4b","owned_by":"organization_owner"},{"id":"nomic"}]}`)
	tests := []struct {
		name   string
		pages  map[string]page
		first  []string // what the first probe asks for
		then   []string // what later ones ask for
		loaded []string
	}{
		{"0.4", map[string]page{"/api/v1/models": v1, "/api/v0/models": v0, "/v1/models": plain},
			[]string{"/api/v1/models"}, []string{"/api/v1/models"}, []string{"qwen/qwen3-4b"}},
		{"0.3.6", map[string]page{"/api/v0/models": v0, "/v1/models": plain},
			[]string{"/api/v1/models", "/api/v0/models"}, []string{"/api/v0/models"}, []string{"qwen/qwen3-4b"}},
		{"older", map[string]page{"/v1/models": plain},
			[]string{"/api/v1/models", "/api/v0/models", "/v1/models"}, []string{"/v1/models"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, site(tt.pages, unknown))
			pr := newProber(t, configured(t, "lmstudio", s.url, ""), probe.Options{})
			for _, want := range [][]string{tt.first, tt.then, tt.then} {
				o := pr.Probe(t.Context(), allAsk)
				if o.Saw != provider.OK || names(o) != "qwen/qwen3-4b nomic" || !slices.Equal(o.Facts.Loaded, tt.loaded) {
					t.Fatalf("saw %s %q, facts %+v", o.Saw, o.Detail, o.Facts)
				}
				if asked := s.asked(); !slices.Equal(asked, want) {
					t.Errorf("asked for %v, want %v", asked, want)
				}
			}
		})
	}
	t.Run("no list at all", func(t *testing.T) {
		t.Parallel()
		s := serve(t, unknown.ServeHTTP)
		o := once(t, configured(t, "lmstudio", s.url, ""), probe.Options{}, allAsk)
		if o.Saw != provider.BadResponse || !strings.Contains(o.Detail, "LM Studio answers") {
			t.Errorf("saw %s %q", o.Saw, o.Detail)
		}
		if asked := s.asked(); len(asked) != 3 {
			t.Errorf("asked for %v", asked)
		}
	})
	t.Run("a base_url with OpenAI's path", func(t *testing.T) {
		t.Parallel()
		s := serve(t, unknown.ServeHTTP)
		o := once(t, configured(t, "lmstudio", s.url+"/v1/", ""), probe.Options{}, allAsk)
		if o.Saw != provider.BadResponse || !strings.Contains(o.Detail, "leave /v1 out of base_url") {
			t.Errorf("saw %s %q", o.Saw, o.Detail)
		}
	})
	t.Run("a list that is null is empty", func(t *testing.T) {
		t.Parallel()
		s := serve(t, site(map[string]page{"/api/v0/models": jsonPage(`{"object":"list","data":null}`)}, unknown))
		o := once(t, configured(t, "lmstudio", s.url, ""), probe.Options{}, probe.Ask{})
		if o.Saw != provider.OK || o.Facts.Models == nil || len(o.Facts.Models) != 0 {
			t.Errorf("saw %s %q, facts %+v", o.Saw, o.Detail, o.Facts)
		}
	})
	t.Run("another server is asked once", func(t *testing.T) {
		t.Parallel()
		s := serve(t, missing.ServeHTTP)
		o := once(t, configured(t, "lmstudio", s.url, ""), probe.Options{}, allAsk)
		if asked := s.asked(); o.Saw != provider.WrongService || len(asked) != 1 {
			t.Errorf("saw %s after %v", o.Saw, asked)
		}
	})
	t.Run("an upgrade is noticed", func(t *testing.T) {
		t.Parallel()
		pages := map[string]page{"/api/v0/models": v0}
		s := serve(t, func(w http.ResponseWriter, r *http.Request) { site(pages, unknown)(w, r) })
		pr := newProber(t, configured(t, "lmstudio", s.url, ""), probe.Options{})
		pr.Probe(t.Context(), allAsk)
		pages = map[string]page{"/api/v1/models": v1}
		if o := pr.Probe(t.Context(), allAsk); o.Saw != provider.OK {
			t.Errorf("saw %s %q", o.Saw, o.Detail)
		}
	})
	t.Run("a key that is missing, whatever the status", func(t *testing.T) {
		t.Parallel()
		for _, status := range []int{200, 401, 403} {
			s := serve(t, page{status: status, body: `{"error":{"type":"invalid_request","code":"invalid_api_key","message":"An LM Studio API token is required"}}`}.ServeHTTP)
			o := once(t, configured(t, "lmstudio", s.url, ""), probe.Options{}, probe.Ask{})
			if o.Saw != provider.Unauthorized || !strings.Contains(o.Detail, "token is required") {
				t.Errorf("%d: saw %s %q", status, o.Saw, o.Detail)
			}
		}
	})
	t.Run("no model is loaded", func(t *testing.T) {
		t.Parallel()
		s := serve(t, site(map[string]page{"/api/v1/models": jsonPage(`{"models":[]}`)}, unknown))
		o := once(t, configured(t, "lmstudio", s.url, ""), probe.Options{}, probe.Ask{})
		if o.Saw != provider.OK || o.Facts.Models == nil || len(o.Facts.Models) != 0 {
			t.Errorf("saw %s, facts %+v", o.Saw, o.Facts)
		}
	})
}

func TestLlamaCPP(t *testing.T) {
	t.Parallel()
	healthy := jsonPage(`{"status":"ok"}`)
	rejects := page{status: 401, body: `{"error":{"message":"Invalid API Key","type":"authentication_error","code":401}}`}
	loading := page{status: 503, headers: map[string]string{"Server": "llama.cpp"},
		body: `{"error":{"message":"Loading model","type":"unavailable_error","code":503}}`}
	single := jsonPage(`{"models":[{"name":"gemma"}],"object":"list","data":[{"id":"gemma","owned_by":"llamacpp","meta":{"n_ctx_train":131072,"size":2400000000}}]}`)
	t.Run("statuses of /health", func(t *testing.T) {
		t.Parallel()
		for name, tt := range map[string]struct {
			page page
			want provider.Reason
		}{
			"loading":             {loading, provider.Loading},
			"loading, older":      {page{status: 503, body: `{"status":"loading model"}`}, provider.Loading},
			"all slots busy":      {page{status: 503, body: `{"status":"no slot available"}`}, provider.Overloaded},
			"another 503":         {page{status: 503, body: `{"error":{"message":"no"}}`}, provider.ServerError},
			"its own 404":         {page{status: 404, headers: map[string]string{"Server": "llama.cpp"}, body: `{"error":{"message":"File Not Found","code":404}}`}, provider.BadResponse},
			"somebody's health":   {jsonPage(`{"status":"healthy"}`), provider.WrongService},
			"vLLM's empty health": {page{}, provider.BadResponse},
		} {
			s := serve(t, tt.page.ServeHTTP)
			if o := once(t, configured(t, "llamacpp", s.url, ""), probe.Options{}, allAsk); o.Saw != tt.want {
				t.Errorf("%s: saw %s %q, want %s", name, o.Saw, o.Detail, tt.want)
			}
		}
	})
	t.Run("a key is proven by props", func(t *testing.T) {
		t.Parallel()
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/props" && r.Header.Get("Authorization") != "Bearer right" {
				rejects.ServeHTTP(w, r)
				return
			}
			site(map[string]page{"/health": healthy, "/v1/models": single, "/props": jsonPage(`{"build_info":"b6700-abc"}`)}, missing)(w, r)
		})
		for key, want := range map[string]provider.Reason{"right": provider.OK, "right,spare": provider.OK, "wrong": provider.Unauthorized, "": provider.OK} {
			for _, ask := range []probe.Ask{{}, allAsk} {
				if o := once(t, configured(t, "llamacpp", s.url, key), probe.Options{}, ask); o.Saw != want {
					t.Errorf("key %q: saw %s %q, want %s", key, o.Saw, o.Detail, want)
				}
			}
		}
		o := once(t, configured(t, "llamacpp", s.url, ""), probe.Options{}, allAsk)
		if !strings.Contains(o.Facts.Note, "wants a key") {
			t.Errorf("note %q", o.Facts.Note)
		}
	})
	t.Run("facts", func(t *testing.T) {
		t.Parallel()
		s := serve(t, site(map[string]page{"/health": healthy, "/v1/models": single, "/props": jsonPage(`{"build_info":"b6700-abc"}`)}, missing))
		o := once(t, configured(t, "llamacpp", s.url, ""), probe.Options{}, allAsk)
		want := probe.Facts{
			Version: "b6700-abc",
			Models:  []provider.Model{{ID: "gemma", Size: 2400000000, ContextLength: 131072, Loaded: &yes}},
			Loaded:  []string{"gemma"},
		}
		if diff := cmp.Diff(want, o.Facts); diff != "" {
			t.Errorf("facts (-want +got):\n%s", diff)
		}
	})
	t.Run("router", func(t *testing.T) {
		t.Parallel()
		s := serve(t, site(map[string]page{
			"/health": healthy,
			"/v1/models": jsonPage(`{"object":"list","data":[
				{"id":"a","status":{"value":"unloaded"}},{"id":"b","status":{"value":"loaded","args":["x"]}},
				{"id":"c","status":{"value":"sleeping"}},{"id":"d","status":{"value":"unloaded","failed":true,"exit_code":1}}]}`),
			"/props": jsonPage(`{"role":"router"}`),
		}, missing))
		o := once(t, configured(t, "llamacpp", s.url, ""), probe.Options{}, allAsk)
		if names(o) != "a b c d" || !slices.Equal(o.Facts.Loaded, []string{"b"}) || !strings.Contains(o.Facts.Note, "did not load: d") {
			t.Errorf("facts: %+v", o.Facts)
		}
		for _, path := range s.asked() {
			if strings.Contains(path, "model=") {
				t.Errorf("asked for %s, which loads a model", path)
			}
		}
	})
	t.Run("asleep", func(t *testing.T) {
		t.Parallel()
		s := serve(t, site(map[string]page{"/health": healthy, "/v1/models": single, "/props": jsonPage(`{"is_sleeping":true}`)}, missing))
		o := once(t, configured(t, "llamacpp", s.url, ""), probe.Options{}, allAsk)
		if o.Facts.Loaded == nil || len(o.Facts.Loaded) != 0 || *o.Facts.Models[0].Loaded || !strings.Contains(o.Facts.Note, "asleep") {
			t.Errorf("facts: %+v", o.Facts)
		}
	})
}
