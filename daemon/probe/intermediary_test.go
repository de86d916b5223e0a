package probe_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// The evidence shows what identified an intermediary, but no cookie and no meaningless
// header. A good answer shows what it always did, because such headers differ each time.
func TestProbe_EvidenceShowsWhoAnswered(t *testing.T) {
	t.Parallel()
	ill := true
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Server", "cloudflare")
		h.Set("Cf-Mitigated", "challenge")
		h.Set("Ngrok-Error-Code", "ERR_NGROK_1")
		h.Set("X-Envoy-Upstream-Service-Time", "7")
		h.Set("X-Amz-Cf-Id", "abc")
		h.Set("Set-Cookie", "session=of-somebody")
		h.Set("X-Told-Nobody", "no")
		if ill {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		jsonPage(body).ServeHTTP(w, r)
	})
	pr := newProber(t, configured(t, "ollama", s.url, ""), probe.Options{})
	shown := pr.Probe(t.Context(), probe.Ask{}).Evidence.Requests[0].Headers
	for _, name := range []string{"server", "cf-mitigated", "ngrok-error-code", "x-envoy-upstream-service-time", "x-amz-cf-id"} {
		if shown[name] == "" {
			t.Errorf("%s is not shown: %v", name, shown)
		}
	}
	for _, name := range []string{"set-cookie", "x-told-nobody"} {
		if shown[name] != "" {
			t.Errorf("%s is shown", name)
		}
	}
	ill = false
	o := pr.Probe(t.Context(), probe.Ask{})
	if shown := o.Evidence.Requests[0].Headers; o.Saw != provider.OK || shown["server"] == "" || len(shown) != 2 {
		t.Errorf("a good answer: %s %v", o.Saw, shown)
	}
}

// A redirect to a sign-in page carries tokens, which are only for that page.
func TestProbe_EvidenceHidesWhatARedirectCarries(t *testing.T) {
	t.Parallel()
	for name, where := range map[string]string{
		"another host":   "https://user:s3cret@team.cloudflareaccess.com/cdn-cgi/access/login/h?kid=1&meta=s3cret#s3cret",
		"an application": "https://elsewhere.example/there?s3cret",
		"the same host":  "/login?next=%2F&state=s3cret",
		"no address":     "http://[::1?state=s3cret",
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/login" {
					w.Header().Set("Content-Type", "text/html")
					_, _ = w.Write([]byte("<title>Sign in</title>"))
					return
				}
				w.Header().Set("Location", where)
				w.WriteHeader(http.StatusFound)
			})
			o := once(t, configured(t, "ollama", s.url, ""), probe.Options{}, probe.Ask{})
			if shown := fmt.Sprintf("%+v", o); strings.Contains(shown, "s3cret") {
				t.Errorf("it is shown: %s", shown)
			}
			if to := o.Evidence.Requests[0].Headers["location"]; to == "" || strings.Contains(where, "state=") && strings.HasPrefix(where, "/") && !strings.Contains(to, "state=…") {
				t.Errorf("where it leads is not shown: %q", to)
			}
		})
	}
}

// Another server that answers with a 4xx is marked as a refusal, but not one that answers
// with 200.
func TestProbe_RefusalIsMarked(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		page    page
		refused bool
	}{
		"404 of nobody":     {page{status: 404, body: "nothing here"}, true},
		"404 of llama.cpp":  {page{status: 404, body: `{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}`}, true},
		"another's 200":     {page{status: 200, body: `{"object":"list","data":[{"id":"a","owned_by":"vllm"}]}`}, false},
		"it is not allowed": {page{status: 401, body: "no"}, false},
	} {
		s := serve(t, tt.page.ServeHTTP)
		o := once(t, configured(t, "ollama", s.url, ""), probe.Options{}, probe.Ask{})
		if o.Refusal != tt.refused {
			t.Errorf("%s: %s, refusal %v", name, o.Saw, o.Refusal)
		}
	}
}

// A hint is about the intermediary, and never about the settings of a server that did not
// answer.
func TestProbe_HintIsNotAboutTheServerBehind(t *testing.T) {
	t.Parallel()
	settings := []string{"OLLAMA_HOST", "--listen", "Trusted Hosts", "--api-port", "ollama serve"}
	for _, k := range probe.Kinds() {
		if k.Type != provider.Local || k.Name == "http" {
			continue
		}
		for _, status := range []int{400, 401, 403, 404, 407, 500, 502, 503, 504, 511, 530} {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				w.Header().Set("Server", "nginx")
				w.WriteHeader(status)
				_, _ = w.Write([]byte("<html><head><title>error</title></head><body><hr><center>nginx</center></body></html>"))
			})
			o := once(t, configured(t, k.Name, s.url, ""), probe.Options{}, probe.Ask{})
			if o.Saw == provider.WrongService || o.Saw == provider.BadResponse || o.Saw == provider.Forbidden {
				t.Errorf("%s %d: saw %s %q", k.Name, status, o.Saw, o.Detail)
			}
			hint := provider.Hint(o.Saw, provider.Subject{Own: o.Hint, Hints: k.Hints, ID: "a", Endpoint: s.url})
			for _, word := range settings {
				if strings.Contains(hint, word) {
					t.Errorf("%s %d: %s, %q", k.Name, status, o.Saw, hint)
				}
			}
		}
	}
}

// The hint names the source of the address: the vendor's variable, or the file.
func TestProbe_IntermediaryHintNamesWhereTheAddressIs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status int
		given  bool
		want   string
	}{
		{401, false, "put them into ANTHROPIC_BASE_URL or base_url (https://USER:PASSWORD@HOST), then restart providerd"},
		{401, true, "put them into base_url (https://USER:PASSWORD@HOST), then: providerctl reload"},
		{404, false, "correct its routes, or correct ANTHROPIC_BASE_URL or base_url, then restart providerd"},
		{404, true, "correct its routes, or correct base_url, then: providerctl reload"},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Server", "nginx")
			w.Header().Set("WWW-Authenticate", `Basic realm="r"`)
			w.WriteHeader(tt.status)
			_, _ = w.Write([]byte("<html><hr><center>nginx</center></html>"))
		})
		p := configured(t, "anthropic", s.url, "test-key-of-nobody")
		p.BaseURLGiven = tt.given
		o := once(t, p, probe.Options{}, probe.Ask{})
		if o.Saw != provider.Intermediary || !strings.HasSuffix(o.Hint, tt.want) {
			t.Errorf("%d, given %t: %s, %q, want %q", tt.status, tt.given, o.Saw, o.Hint, tt.want)
		}
	}
}
