// What is peculiar about the kinds that are not one program on this machine: cloud
// APIs, and any HTTP or TCP service.

package probe_test

import (
	"io"
	"net"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

func TestOpenAI(t *testing.T) {
	t.Parallel()
	list := `{"object":"list","data":[{"id":"a","max_model_len":4096},{"id":"b"}]}`
	t.Run("sends the key", func(t *testing.T) {
		t.Parallel()
		s := serve(t, site(map[string]page{"/v1/models": jsonPage(list)}, missing))
		o := once(t, configured(t, "openai", s.url+"/v1", "the-key"), probe.Options{UserAgent: "providerd/test"}, probe.Ask{})
		if o.Saw != provider.OK || names(o) != "a b" || o.Facts.Models[0].ContextLength != 4096 {
			t.Errorf("saw %s, facts %+v", o.Saw, o.Facts)
		}
		if h := s.seen[0].Header; h.Get("Authorization") != "Bearer the-key" || h.Get("User-Agent") != "providerd/test" {
			t.Errorf("sent %v", h)
		}
	})
	t.Run("compatible shapes", func(t *testing.T) {
		t.Parallel()
		for body, want := range map[string]string{
			list:                              "a b",
			`[{"id":"a"},{"id":"b"}]`:         "a b",
			`{"data":[]}`:                     "",
			`[]`:                              "",
			`{"object":"list","data":null}`:   "", // Ollama's
			`{"data":[{"id":"a"},{"id":7}]}`:  "a",
			`{"data":[{"id":"a","meta":[]}]}`: "a",
		} {
			s := serve(t, jsonPage(body).ServeHTTP)
			o := once(t, configured(t, "openai-compatible", s.url, ""), probe.Options{}, probe.Ask{})
			if o.Saw != provider.OK || names(o) != want || o.Facts.Models == nil {
				t.Errorf("%s: saw %s %q, models %q", body, o.Saw, o.Detail, names(o))
			}
		}
	})
	t.Run("a base_url without its path", func(t *testing.T) {
		t.Parallel()
		s := serve(t, page{status: 404, body: `{"detail":"Not Found"}`}.ServeHTTP)
		o := once(t, configured(t, "openai-compatible", s.url, ""), probe.Options{}, probe.Ask{})
		if o.Saw != provider.WrongService || !strings.Contains(o.Detail, s.url+"/v1") {
			t.Errorf("saw %s %q", o.Saw, o.Detail)
		}
	})
	t.Run("a base_url without its path, of LM Studio", func(t *testing.T) {
		t.Parallel()
		s := serve(t, jsonPage(`{"error":"Unexpected endpoint or method. (GET /models)"}`).ServeHTTP)
		o := once(t, configured(t, "openai-compatible", s.url, ""), probe.Options{}, probe.Ask{})
		if o.Saw != provider.WrongService || !strings.Contains(o.Detail, `try base_url = "`+s.url+`/v1"`) {
			t.Errorf("saw %s %q", o.Saw, o.Detail)
		}
	})
	t.Run("user-info is sent and not shown", func(t *testing.T) {
		t.Parallel()
		s := serve(t, jsonPage(list).ServeHTTP)
		p := configured(t, "openai-compatible", strings.Replace(s.url, "http://", "http://me:pass-word@", 1), "")
		p.Endpoint = s.url
		o := once(t, p, probe.Options{}, probe.Ask{})
		user, password, _ := s.seen[0].BasicAuth()
		if o.Saw != provider.OK || user != "me" || password != "pass-word" {
			t.Errorf("saw %s, sent %q %q", o.Saw, user, password)
		}
		if got := o.Evidence.Requests[0].URL; got != s.url+"/models" {
			t.Errorf("shown as %q", got)
		}
	})
}

func TestAnthropic(t *testing.T) {
	t.Parallel()
	one := jsonPage(own["anthropic"].body)
	t.Run("one model proves the key, all are a fact", func(t *testing.T) {
		t.Parallel()
		s := serve(t, site(map[string]page{
			"/v1/models?limit=1":    one,
			"/v1/models?limit=1000": jsonPage(`{"data":[{"type":"model","id":"a"},{"type":"model","id":"b"}],"has_more":false}`),
		}, missing))
		pr := newProber(t, configured(t, "anthropic", s.url, "the-key"), probe.Options{})
		if o := pr.Probe(t.Context(), probe.Ask{}); o.Saw != provider.OK || o.Facts.Models != nil {
			t.Errorf("saw %s, models %v", o.Saw, o.Facts.Models)
		}
		if h := s.seen[0].Header; h.Get("X-Api-Key") != "the-key" || h.Get("Anthropic-Version") != "2023-06-01" || h.Get("Authorization") != "" {
			t.Errorf("sent %v", h)
		}
		if o := pr.Probe(t.Context(), allAsk); names(o) != "a b" {
			t.Errorf("facts: %+v", o.Facts)
		}
	})
	t.Run("a list that goes on is unknown", func(t *testing.T) {
		t.Parallel()
		s := serve(t, one.ServeHTTP)
		if o := once(t, configured(t, "anthropic", s.url, ""), probe.Options{}, allAsk); o.Facts.Models != nil {
			t.Errorf("models: %v", o.Facts.Models)
		}
	})
	t.Run("limits told with 400", func(t *testing.T) {
		t.Parallel()
		for message, want := range map[string]provider.Reason{
			"You have reached your specified API usage limits. You will regain access on 2026-06-01.": provider.QuotaExhausted,
			"Your credit balance is too low to access the Anthropic API.":                             provider.QuotaExhausted,
			"limit: should be at most 1000":                                                           provider.BadResponse,
		} {
			s := serve(t, page{status: 400, body: `{"type":"error","error":{"type":"invalid_request_error","message":"` + message + `"}}`}.ServeHTTP)
			if o := once(t, configured(t, "anthropic", s.url, ""), probe.Options{}, probe.Ask{}); o.Saw != want {
				t.Errorf("%s: saw %s", message, o.Saw)
			}
		}
	})
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer page
		status []int
		body   string
		json   map[string]any
		want   provider.Reason
		detail string
	}{
		{name: "any 2xx", answer: page{status: 204}, want: provider.OK},
		{name: "expected 401", answer: page{status: 401}, status: []int{200, 401}, want: provider.OK},
		{name: "expected redirect is not followed", answer: page{status: 302, headers: map[string]string{"Location": "http://elsewhere.example/"}}, status: []int{302}, want: provider.OK},
		{name: "another 2xx", answer: page{status: 204}, status: []int{200}, want: provider.BadResponse, detail: "204 No Content, expected 200"},
		{name: "an unexpected 503", answer: page{status: 503}, status: []int{200}, want: provider.ServerError},
		{name: "body matches", answer: page{body: "all ready now"}, body: `\bready\b`, want: provider.OK},
		{name: "body does not match", answer: page{body: "not yet"}, body: "ready", want: provider.BadResponse, detail: `expect_body "ready"`},
		{name: "JSON holds", answer: page{body: `{"status":"ok","n":3,"f":1.50,"up":true,"list":[{"s":"x"},{"s":"x"}]}`},
			json: map[string]any{"$.status": "ok", "$.n": int64(3), "$.f": 1.5, "$.up": true, "$.list[*].s": "x"}, want: provider.OK},
		{name: "JSON has another value", answer: page{body: `{"status":"bad"}`}, json: map[string]any{"$.status": "ok"}, want: provider.BadResponse, detail: "expect_json $.status is bad, expected ok"},
		{name: "JSON has another type", answer: page{body: `{"n":"3"}`}, json: map[string]any{"$.n": int64(3)}, want: provider.BadResponse},
		{name: "JSON lacks it", answer: page{body: `{}`}, json: map[string]any{"$.status": "ok"}, want: provider.BadResponse, detail: "selects nothing"},
		{name: "one of several differs", answer: page{body: `[{"s":"x"},{"s":"y"}]`}, json: map[string]any{"$[*].s": "x"}, want: provider.BadResponse},
		{name: "not JSON", answer: page{body: `ok`}, json: map[string]any{"$.status": "ok"}, want: provider.BadResponse, detail: "not JSON"},
		{name: "a 400-digit number", answer: page{body: `{"n":1` + strings.Repeat("0", 400) + `}`}, json: map[string]any{"$.n": int64(3)}, want: provider.BadResponse},
		{name: "too large to judge", answer: page{body: strings.Repeat("x", 5<<20)}, body: "y", want: provider.BadResponse, detail: "larger"},
		{name: "too large, whatever is expected", answer: page{body: strings.Repeat("x", 5<<20)}, want: provider.BadResponse, detail: "larger"},
		{name: "truncated, whatever is expected", answer: page{headers: map[string]string{"Content-Length": "20"}, body: "short"}, want: provider.BadResponse, detail: "unexpected EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, site(map[string]page{"/status": tt.answer}, missing))
			p := configured(t, "http", s.url+"/status", "")
			p.Expect.Status, p.Expect.Body, p.Expect.JSON = tt.status, tt.body, tt.json
			o := once(t, p, probe.Options{}, allAsk)
			if o.Saw != tt.want || !strings.Contains(o.Detail, tt.detail) {
				t.Errorf("saw %s %q, want %s %q", o.Saw, o.Detail, tt.want, tt.detail)
			}
		})
	}
}

func TestTCP(t *testing.T) {
	t.Parallel()
	for _, first := range []bool{false, true} {
		ask := probe.Ask{DialFirst: first}
		o := once(t, configured(t, "tcp", "tcp://"+talk(t, false, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), ""), probe.Options{}, ask)
		if o.Saw != provider.OK || truth(o.PortListening) != "yes" || o.APIResponding != nil || o.Latency <= 0 {
			t.Errorf("accepting: saw %s %q, %+v", o.Saw, o.Detail, o)
		}
		if len(o.Evidence.Dial) != 1 {
			t.Errorf("accepting: dialled %+v", o.Evidence.Dial)
		}
		o = once(t, configured(t, "tcp", "tcp://"+unused(t), ""), probe.Options{}, ask)
		if o.Saw != provider.ConnectionRefused || truth(o.PortListening) != "no" {
			t.Errorf("refusing: saw %s %q", o.Saw, o.Detail)
		}
	}
}
