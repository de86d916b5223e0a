package probe_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A diagnosis tries the suggested address, at the same host and with the kind's own
// request; an ordinary probe only names it.
func TestProbe_DiagnosisTriesTheAddressThatIsMeant(t *testing.T) {
	const list = `{"object":"list","data":[{"id":"m","object":"model"}]}`
	for _, tt := range []struct {
		name, kind, base, key string
		pages                 map[string]string // that there are
		status                int               // of those
		saw                   provider.Reason
		says, hint            string
		asked                 []string
	}{
		{"Request", "openai-compatible", "/v1/chat/completions", "", map[string]string{"/v1/models": list}, 200, provider.WrongService,
			`base_url = "BASE/v1" works`, `it works there: write base_url = "BASE/v1" in the configuration of {id}, then: providerctl reload`,
			[]string{"/v1/chat/completions/models", "/v1/models"}},
		{"Bare", "openai", "", "test-key-of-nobody", map[string]string{"/v1/models": list}, 200, provider.WrongService,
			`base_url = "BASE/v1" works`, `BASE/v1`, []string{"/models", "/v1/models"}},
		{"Twice", "openai-compatible", "/v1/v1", "", map[string]string{"/v1/models": list}, 200, provider.WrongService,
			`base_url = "BASE/v1" works`, `BASE/v1`, []string{"/v1/v1/models", "/v1/models"}},
		{"Beside", "ollama", "/v1", "", map[string]string{"/api/version": `{"version":"0.12.3"}`}, 200, provider.WrongService,
			`base_url = "BASE" works`, `BASE`, []string{"/v1/api/version", "/api/version"}},
		{"LMStudio", "lmstudio", "/v1", "", map[string]string{"/api/v1/models": `{"models":[{"key":"m"}]}`}, 200, provider.WrongService,
			`base_url = "BASE" works`, `BASE`, []string{"/v1/api/v1/models", "/api/v1/models"}},
		{"WantsAKey", "openai-compatible", "/chat/completions", "", map[string]string{"/v1/models": `{"error":{"message":"no key"}}`}, 401, provider.WrongService,
			`base_url = "BASE/v1" is right, and the answer there is: 401 Unauthorized: no key`, `BASE/v1`, []string{"/chat/completions/models", "/v1/models"}},
		{"Nowhere", "openai-compatible", "/v1/embeddings", "", nil, 0, provider.WrongService,
			`base_url = "BASE/v1" does not work either`, "", []string{"/v1/embeddings/models", "/v1/models"}},
		{"BehindAProxy", "openai-compatible", "", "", map[string]string{"/v1/models": list, "/models": "404 page not found\n"}, 200, provider.Intermediary,
			`a proxy such as Traefik answers`, `it works there`, []string{"/models", "/v1/models"}},
		{"NothingElseIsMeant", "openai-compatible", "/v1", "", nil, 0, provider.WrongService, "404 Not Found at /v1/models", "", []string{"/v1/models"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var mu sync.Mutex
			var asked []string
			ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				asked = append(asked, r.URL.Path)
				mu.Unlock()
				page, ok := tt.pages[r.URL.Path]
				switch {
				case strings.HasPrefix(page, "404"):
					http.NotFound(w, r)
					return
				case !ok:
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(404)
					page = `{"detail":"Not Found"}`
				default:
					w.WriteHeader(tt.status)
				}
				_, _ = w.Write([]byte(page))
			}))
			defer ts.Close()
			with := strings.NewReplacer("BASE", ts.URL)
			pr := newProber(t, configured(t, tt.kind, ts.URL+tt.base, tt.key), probe.Options{})
			defer pr.Close()
			o := pr.Probe(t.Context(), probe.Ask{Fresh: true})
			if o.Saw != tt.saw || !strings.Contains(o.Detail, with.Replace(tt.says)) || !strings.Contains(o.Hint, with.Replace(tt.hint)) || (o.Hint == "") != (tt.hint == "") {
				t.Errorf("%s %q, hint %q", o.Saw, o.Detail, o.Hint)
			}
			if !slices.Equal(asked, tt.asked) || len(o.Evidence.Requests) != len(tt.asked) {
				t.Errorf("asked %q, evidence of %d", asked, len(o.Evidence.Requests))
			}
			asked = nil
			if o = pr.Probe(t.Context(), probe.Ask{Facts: true}); len(asked) != 1 || strings.Contains(o.Detail, "works") || tt.hint != "" && !strings.Contains(o.Hint, "to try it: providerctl diagnose {id}") {
				t.Errorf("then asked %q: %q, hint %q", asked, o.Detail, o.Hint)
			}
		})
	}
}

// If a variable has the address, the hint names it. If no time was left to try the
// suggested address, nothing is claimed about it.
func TestProbe_AddressThatIsMeantInAVariable(t *testing.T) {
	late := false
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if late && r.URL.Path == "/v1/models" {
			<-r.Context().Done()
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(404)
		_, _ = w.Write([]byte(`{"detail":"Not Found"}`))
	}))
	defer ts.Close()
	p := configured(t, "openai", ts.URL, "test-key-of-nobody")
	p.BaseURLGiven = false
	pr := newProber(t, p, probe.Options{})
	if o := pr.Probe(t.Context(), probe.Ask{}); o.Hint != `perhaps base_url should be "`+ts.URL+`/v1" in OPENAI_BASE_URL; to try it: providerctl diagnose {id}` {
		t.Errorf("hint %q", o.Hint)
	}
	away := httptest.NewServer(http.RedirectHandler("https://elsewhere.example/v1", http.StatusFound))
	defer away.Close()
	if o := once(t, configured(t, "openai-compatible", away.URL, ""), probe.Options{}, probe.Ask{}); strings.Contains(o.Detail+o.Hint, "base_url") {
		t.Errorf("redirected: %q, hint %q", o.Detail, o.Hint)
	}
	late = true
	p.Timeout = 300 * time.Millisecond
	pr = newProber(t, p, probe.Options{})
	o := pr.Probe(t.Context(), probe.Ask{Fresh: true})
	if o.Saw != provider.WrongService || strings.Contains(o.Detail, "does not work") || !strings.Contains(o.Detail, "did not answer in the time left") {
		t.Errorf("%s %q", o.Saw, o.Detail)
	}
}
