package probe_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// own is a healthy answer of each kind, by the path that decides.
var own = map[string]struct{ path, body, server string }{
	"ollama":            {"/api/version", `{"version":"0.12.3"}`, ""},
	"lmstudio":          {"/api/v1/models", `{"models":[{"type":"llm","key":"qwen/qwen3-4b","loaded_instances":[]}]}`, ""},
	"llamacpp":          {"/health", `{"status":"ok"}`, "llama.cpp"},
	"openai":            {"/models", `{"object":"list","data":[{"id":"gpt-x","object":"model","owned_by":"openai"}]}`, ""},
	"openai-compatible": {"/models", `{"object":"list","data":[{"id":"m","object":"model"}]}`, ""},
	"anthropic":         {"/v1/models?limit=1", `{"data":[{"type":"model","id":"claude-x"}],"has_more":true,"first_id":"claude-x","last_id":"claude-x"}`, ""},
	"http":              {"/", `anything`, ""},
}

// TestProbe_Rules holds what an HTTP answer means for every kind that a rule
// applies to, by the rule's name.
func TestProbe_Rules(t *testing.T) {
	t.Parallel()
	all := []string{"ollama", "lmstudio", "llamacpp", "openai", "openai-compatible", "anthropic", "http"}
	strict := all[:len(all)-1] // the http kind takes any body
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		kinds  []string
		answer page
		want   provider.Reason
		detail string // part of it
		retry  time.Duration
	}{
		{name: "200 HTML", kinds: strict, answer: page{headers: map[string]string{"Content-Type": "text/html"}, body: "<!DOCTYPE html><title>hi</title>"}, want: provider.BadResponse, detail: "HTML"},
		{name: "200 broken JSON", kinds: strict, answer: jsonPage(`{"version":"0.`), want: provider.BadResponse, detail: "not JSON"},
		{name: "200 NaN", kinds: strict, answer: jsonPage(`{"version":NaN}`), want: provider.BadResponse, detail: "not JSON"},
		{name: "200 empty", kinds: strict, answer: page{}, want: provider.BadResponse, detail: "empty"},
		{name: "200 too large", kinds: strict, answer: page{body: strings.Repeat("x", 5<<20)}, want: provider.BadResponse, detail: "larger than 4 MiB"},
		{name: "200 foreign JSON", kinds: strict, answer: jsonPage(`{"hello":"world"}`), want: provider.WrongService, detail: "hello"},
		{name: "200 JSON null", kinds: strict, answer: jsonPage(`null`), want: provider.WrongService},
		{name: "200 deep JSON", kinds: strict, answer: jsonPage(strings.Repeat("[", 1<<20)), want: provider.BadResponse},
		{name: "200 LM Studio's unknown path", kinds: []string{"ollama", "llamacpp", "openai", "openai-compatible", "anthropic"}, answer: jsonPage(`{"error":"Unexpected endpoint or method. (GET /x)"}`), want: provider.WrongService, detail: "LM Studio answers"},
		{name: "200 Ollama's front page", kinds: []string{"lmstudio", "llamacpp", "openai", "openai-compatible", "anthropic"}, answer: page{body: "Ollama is running"}, want: provider.WrongService, detail: "Ollama answers"},
		{name: "200 vLLM's list", kinds: []string{"ollama", "lmstudio", "llamacpp", "anthropic"}, answer: jsonPage(`{"object":"list","data":[{"id":"m","owned_by":"vllm"}]}`), want: provider.WrongService, detail: "vLLM answers"},
		{name: "200 some list", kinds: []string{"ollama", "lmstudio", "llamacpp", "anthropic"}, answer: jsonPage(`{"object":"list","data":[{"id":"m"}]}`), want: provider.WrongService, detail: "OpenAI-compatible server answers"},
		{name: "404 llama.cpp", kinds: []string{"ollama", "lmstudio", "openai", "anthropic"}, answer: page{status: 404, headers: map[string]string{"Server": "llama.cpp"}, body: `{"error":{"message":"File Not Found","type":"not_found_error","code":404}}`}, want: provider.WrongService, detail: "llama.cpp answers"},
		{name: "404 nobody's", kinds: strict, answer: page{status: 404, headers: map[string]string{"Server": "nginx/1.29"}, body: "404 page not found"}, want: provider.WrongService, detail: "404"},
		{name: "404 in the usual shape", kinds: []string{"ollama", "lmstudio", "llamacpp", "openai", "anthropic"}, answer: page{status: 404, body: `{"error":{"message":"no such page"}}`}, want: provider.BadResponse, detail: "no such page"},
		{name: "404", kinds: []string{"http"}, answer: page{status: 404}, want: provider.BadResponse, detail: "404 Not Found, expected 2xx"},
		{name: "418", kinds: []string{"ollama"}, answer: page{status: 418}, want: provider.WrongService},
		{name: "304", kinds: all, answer: page{status: 304}, want: provider.BadResponse, detail: "304 Not Modified"},
		{name: "401", kinds: all, answer: page{status: 401, body: `{"error":{"message":"Invalid API Key"}}`}, want: provider.Unauthorized, detail: "Invalid API Key"},
		{name: "403", kinds: all, answer: page{status: 403, body: `{"error":{"message":"region not supported"}}`}, want: provider.Forbidden, detail: "region not supported"},
		{name: "403 missing scope", kinds: []string{"openai", "openai-compatible"}, answer: page{status: 403, body: `{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.model.read. Check that"}}`}, want: provider.ScopeLimited, detail: "Missing scopes"},
		{name: "401 missing scope", kinds: []string{"openai"}, answer: page{status: 401, body: `{"error":"You have insufficient permissions for this operation. Missing scopes: api.model.read. Check that"}`}, want: provider.ScopeLimited, detail: "Missing scopes"},
		{name: "403 missing another scope", kinds: []string{"openai"}, answer: page{status: 403, body: `{"error":{"message":"Missing scopes: model.request. Model.read is fine."}}`}, want: provider.Forbidden},
		{name: "402", kinds: all, answer: page{status: 402, body: `{"error":{"message":"Insufficient Balance"}}`}, want: provider.QuotaExhausted, detail: "Insufficient Balance"},
		{name: "429 insufficient_quota", kinds: all, answer: page{status: 429, headers: map[string]string{"Retry-After": "7"}, body: `{"error":{"message":"You exceeded it","type":"insufficient_quota","code":"insufficient_quota"}}`}, want: provider.QuotaExhausted},
		{name: "429 credit_balance_exhausted", kinds: all, answer: page{status: 429, body: `{"error":{"code":"credit_balance_exhausted","message":"x"}}`}, want: provider.QuotaExhausted},
		{name: "429 spend limit in the details", kinds: all, answer: page{status: 429, body: `{"type":"error","error":{"type":"rate_limit_error","message":"x","details":{"error_code":"enforced_spend_limit_reached"}}}`}, want: provider.QuotaExhausted},
		{name: "429 quota in prose", kinds: all, answer: page{status: 429, body: `{"message":"You exceeded your current quota, please check your plan and billing details."}`}, want: provider.QuotaExhausted},
		{name: "429", kinds: all, answer: page{status: 429, headers: map[string]string{"Retry-After": "30"}, body: `{"error":{"message":"slow"}}`}, want: provider.RateLimited, retry: 30 * time.Second},
		{name: "429 that advises billing", kinds: all, answer: page{status: 429, body: `{"error":{"message":"Rate limit reached. You can increase your rate limit by adding a payment method to your account at https://platform.openai.com/account/billing.","code":"rate_limit_exceeded"}}`}, want: provider.RateLimited},
		{name: "529", kinds: all, answer: page{status: 529, body: `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`}, want: provider.Overloaded},
		{name: "503 overloaded", kinds: all, answer: page{status: 503, headers: map[string]string{"Retry-After": "5"}, body: `{"error":{"message":"The engine is currently overloaded, please try again later"}}`}, want: provider.Overloaded, retry: 5 * time.Second},
		{name: "500 over capacity", kinds: all, answer: page{status: 500, body: "we are over capacity"}, want: provider.Overloaded},
		{name: "500", kinds: all, answer: page{status: 500, headers: map[string]string{"Retry-After": "5"}, body: "oops"}, want: provider.ServerError, detail: "500 Internal Server Error: oops"},
		{name: "503", kinds: all, answer: page{status: 503, body: "<html>nope</html>"}, want: provider.ServerError, detail: "HTML"},
		{name: "400 from a TLS port", kinds: all, answer: page{status: 400, body: "Client sent an HTTP request to an HTTPS server.\n"}, want: provider.TLSFailure, detail: "https://"},
		{name: "400 from nginx's TLS port", kinds: all, want: provider.TLSFailure, detail: "https://", answer: page{status: 400,
			headers: map[string]string{"Content-Type": "text/html", "Server": "nginx/1.29.1"},
			body: "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n" +
				"<center>The plain HTTP request was sent to HTTPS port</center>\r\n<hr><center>nginx/1.29.1</center>\r\n</body>\r\n</html>\r\n"}},
		{name: "400 from Apache's TLS port", kinds: all, want: provider.TLSFailure, detail: "https://", answer: page{status: 400,
			headers: map[string]string{"Content-Type": "text/html; charset=iso-8859-1"},
			body: "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>400 Bad Request</title>\n</head><body>\n<h1>Bad Request</h1>\n" +
				"<p>Your browser sent a request that this server could not understand.<br />\nReason: You're speaking plain HTTP to an SSL-enabled server port.<br />\n" +
				" Instead use the HTTPS scheme to access this URL, please.<br />\n</p>\n</body></html>\n"}},
		{name: "503 llama.cpp that loads", kinds: []string{"llamacpp", "openai-compatible"}, want: provider.Loading, detail: "loading a model", answer: page{status: 503,
			headers: map[string]string{"Server": "llama.cpp"}, body: `{"error":{"message":"Loading model","type":"unavailable_error","code":503}}`}},
	}
	for _, tt := range tests {
		for _, kind := range tt.kinds {
			t.Run(tt.name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				s := serve(t, tt.answer.ServeHTTP)
				o := once(t, configured(t, kind, s.url, ""), probe.Options{Now: func() time.Time { return now }}, probe.Ask{})
				if o.Saw != tt.want || !strings.Contains(o.Detail, tt.detail) {
					t.Errorf("saw %s %q, want %s %q", o.Saw, o.Detail, tt.want, tt.detail)
				}
				var retry time.Duration
				if !o.RetryAt.IsZero() {
					retry = o.RetryAt.Sub(now)
				}
				if retry != tt.retry {
					t.Errorf("retry in %s, want %s", retry, tt.retry)
				}
				if truth(o.PortListening) != "yes" {
					t.Errorf("port listening: %s", truth(o.PortListening))
				}
				healthyShape := tt.want != provider.WrongService && tt.want != provider.BadResponse && tt.want != provider.TLSFailure
				if (truth(o.APIResponding) == "yes") != healthyShape {
					t.Errorf("api responding: %s", truth(o.APIResponding))
				}
				if n := len(s.asked()); n != 1 {
					t.Errorf("sent %d requests, want 1", n)
				}
			})
		}
	}
}

func TestProbe_Rules_OK(t *testing.T) {
	t.Parallel()
	for kind, healthy := range own {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			answer := jsonPage(healthy.body)
			answer.headers["Server"] = healthy.server
			s := serve(t, site(map[string]page{healthy.path: answer}, page{status: 500}))
			o := once(t, configured(t, kind, s.url, ""), probe.Options{}, probe.Ask{})
			if o.Saw != provider.OK || o.Detail != "" {
				t.Fatalf("saw %s %q", o.Saw, o.Detail)
			}
			if o.Latency <= 0 || o.Took < o.Latency {
				t.Errorf("latency %s of %s", o.Latency, o.Took)
			}
			if truth(o.PortListening) != "yes" || truth(o.APIResponding) != "yes" {
				t.Errorf("listening %s, responding %s", truth(o.PortListening), truth(o.APIResponding))
			}
			if o.Endpoint != "" {
				t.Errorf("endpoint %q, want none: the configured one was right", o.Endpoint)
			}
			if e := o.Evidence.Requests; len(e) == 0 || e[0].Status != 200 || !strings.HasPrefix(e[0].BodyStart, healthy.body[:8]) {
				t.Errorf("evidence: %+v", e)
			}
		})
	}
}

func TestProbe_Rules_NoCredentials(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"openai", "anthropic"} {
		s := serve(t, func(http.ResponseWriter, *http.Request) {})
		p := configured(t, kind, s.url, "")
		p.Key = configured(t, "ollama", "", "").Key
		o := once(t, p, probe.Options{}, probe.Ask{Facts: true, DialFirst: true})
		if o.Saw != provider.NoCredentials || !strings.Contains(o.Detail, "_API_KEY is not set") {
			t.Errorf("%s: saw %s %q", kind, o.Saw, o.Detail)
		}
		if asked := s.asked(); len(asked) != 0 || o.PortListening != nil || len(o.Evidence.Dial) != 0 {
			t.Errorf("%s: a request was sent: %v", kind, asked)
		}
	}
}
