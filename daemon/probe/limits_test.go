package probe_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// What the answers that a probe wants anyway say is left is known afterwards, in headers and
// on the pages about a key or an account. No request is sent for a header.
func TestProbe_Limits(t *testing.T) {
	const list = `{"object":"list","data":[{"id":"m","object":"model","owned_by":"x"}]}`
	key := func(more string) string {
		return `{"data":{"label":"l","usage":1,"limit":10,"limit_reset":"monthly"` + more + `}}`
	}
	for name, tt := range map[string]struct {
		kind, path, body string
		header           string
		status           int
		want             string
	}{
		"InHeaders":       {"groq", "/models", list, "x-ratelimit-remaining-requests: 3", 200, "requests 3/?; "},
		"OfARefusal":      {"groq", "/models", `{"error":{"message":"slow down","type":"rate_limit"}}`, "x-ratelimit-remaining-requests: 0", 429, "requests 0/?; "},
		"OfAnotherServer": {"groq", "/models", "<html><title>Index of /</title></html>", "x-ratelimit-remaining-requests: 0", 200, ""},
		"OnAKeyPage":      {"openrouter", "/key", key(`,"limit_remaining":7.5`), "", 200, "credits 7.5/10; "},
		"KeyUsedUp":       {"openrouter", "/key", key(`,"limit_remaining":-0.01`), "", 200, "credits 0/10; "},
		"KeyWithoutLimit": {"openrouter", "/key", `{"data":{"label":"l","usage":1,"limit":null,"limit_remaining":null}}`, "", 200, ""},
		"OfAnAccount":     {"deepseek", "/user/balance", `{"is_available":true,"balance_infos":[{"currency":"USD","total_balance":"110.25"},{"currency":"\u0000bad","total_balance":"NaN"}]}`, "", 200, "balance_usd 110.25/?; "},
		"NameOfTheKey":    {"groq", "/models", list, "x-ratelimit-remaining-test-key-of-nobody: 3", 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if strings.HasPrefix(tt.body, "<") {
					w.Header().Set("Content-Type", "text/html")
				}
				if !strings.HasSuffix(r.URL.Path, tt.path) {
					_, _ = io.WriteString(w, list)
					return
				}
				if name, value, ok := strings.Cut(tt.header, ": "); ok {
					w.Header().Set(name, value)
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			o := once(t, configured(t, tt.kind, s.url, ""), probe.Options{}, probe.Ask{Facts: true})
			got := ""
			for _, l := range o.Limits {
				whole := "?"
				if l.Limit != nil {
					whole = fmt.Sprint(*l.Limit)
				}
				got += fmt.Sprintf("%s %v/%s; ", l.Name, *l.Remaining, whole)
				if l.Name == "credits" && (l.ResetsAt.Day() != 1 || !l.ResetsAt.After(o.Began)) {
					t.Errorf("resets at %v", l.ResetsAt)
				}
			}
			if got != tt.want {
				t.Errorf("%q, want %q (%s %s)", got, tt.want, o.Saw, o.Detail)
			}
		})
	}
}

// A report of headers has the limits, and a success is a report of nothing else.
func TestReported_Limits(t *testing.T) {
	headers := map[string][]string{"Anthropic-RateLimit-Requests-Remaining": {"0"}}
	for status, saw := range map[int]provider.Reason{200: "", 429: provider.RateLimited} {
		o, err := probe.Reported("anthropic", provider.Report{Status: status, Headers: headers}, time.Now())
		if err != nil || o.Saw != saw || len(o.Limits) != 1 || *o.Limits[0].Remaining != 0 {
			t.Errorf("%d: %+v, %v", status, o, err)
		}
	}
}
