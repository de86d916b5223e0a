package probe_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// TestPromise6_AProviderCannotHurtTheDaemon: whatever a server sends, a probe ends in time, keeps
// little, and says something that fits a line.
func TestPromise6_AProviderCannotHurtTheDaemon(t *testing.T) {
	forever := func(write func(io.Writer) error) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for write(w) == nil && r.Context().Err() == nil {
				http.NewResponseController(w).Flush()
			}
		}
	}
	many := func(n int) string {
		var b strings.Builder
		b.WriteString(`{"object":"list","data":[`)
		for i := range n {
			fmt.Fprintf(&b, `{"id":"model-%d"},`, i)
		}
		b.WriteString(`{"id":"last"}]}`)
		return b.String()
	}
	tests := []struct {
		name    string
		kind    string
		answer  http.HandlerFunc
		timeout time.Duration
		want    provider.Reason
	}{
		{"endless body", "ollama", forever(func(w io.Writer) error { _, err := io.WriteString(w, strings.Repeat(" ", 1<<16)); return err }), patient, provider.BadResponse},
		{"dripping body", "ollama", func(w http.ResponseWriter, r *http.Request) {
			drip := time.NewTicker(time.Millisecond)
			defer drip.Stop()
			for r.Context().Err() == nil {
				<-drip.C
				_, _ = io.WriteString(w, " ")
				http.NewResponseController(w).Flush()
			}
		}, quick, provider.Hung},
		{"gzip bomb", "ollama", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			for range 8 {
				_, _ = z.Write(make([]byte, 1<<20))
			}
			z.Close()
		}, patient, provider.BadResponse},
		{"gzip that is none", "ollama", page{headers: map[string]string{"Content-Encoding": "gzip"}, body: `{"version":"1"}`}.ServeHTTP, patient, provider.BadResponse},
		{"deep JSON", "openai-compatible", page{body: strings.Repeat(`{"data":[`, 100_000)}.ServeHTTP, patient, provider.BadResponse},
		{"100,000 models", "openai-compatible", page{body: many(100_000)}.ServeHTTP, patient, provider.OK},
		{"100,000 nothings", "openai-compatible", page{body: `{"data":[` + strings.Repeat("{},", 100_000) + `{}]}`}.ServeHTTP, patient, provider.WrongService},
		{"a 400-digit number", "openai-compatible", page{body: `{"data":[{"id":"m","context_length":1` + strings.Repeat("0", 400) + `}]}`}.ServeHTTP, patient, provider.OK},
		{"negative sizes", "openai-compatible", page{body: `{"data":[{"id":"m","context_length":-5}]}`}.ServeHTTP, patient, provider.OK},
		{"invalid UTF-8", "openai-compatible", page{body: "{\"data\":[{\"id\":\"m\xff\xfe\x1b[31m\n\"}]}"}.ServeHTTP, patient, provider.BadResponse},
		{"escapes in a name", "openai-compatible", page{body: `{"data":[{"id":"m\u001b[31m\nx"}]}`}.ServeHTTP, patient, provider.OK},
		{"a long name", "openai-compatible", page{body: `{"data":[{"id":"` + strings.Repeat("ö", 100_000) + `"}]}`}.ServeHTTP, patient, provider.OK},
		{"a long complaint", "openai-compatible", page{status: 500, body: strings.Repeat("no\r\n\t\x00", 100_000)}.ServeHTTP, patient, provider.ServerError},
		{"many limits", "openai-compatible", func(w http.ResponseWriter, _ *http.Request) {
			for i := range 500 {
				w.Header().Set(fmt.Sprintf("X-Ratelimit-Reset-%d", i), "999999999999999999999999s")
				w.Header().Set(fmt.Sprintf("X-Ratelimit-Remaining-%d", i), "NaN")
			}
			w.WriteHeader(429)
		}, patient, provider.RateLimited},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, tt.answer)
			p := configured(t, tt.kind, s.url, "")
			p.Timeout = tt.timeout
			pr := newProber(t, p, probe.Options{})
			began := time.Now()
			o := pr.Probe(t.Context(), probe.Ask{Facts: true})
			if took := time.Since(began); took > tt.timeout+5*time.Second {
				t.Errorf("took %s, the deadline was %s", took, tt.timeout)
			}
			if o.Saw != tt.want {
				t.Errorf("saw %s %q, want %s", o.Saw, o.Detail, tt.want)
			}
			if !printable(o.Detail) || len(o.Detail) > 200 || len(o.Facts.Models) > 10_000 {
				t.Errorf("detail %q, %d models", o.Detail, len(o.Facts.Models))
			}
			for _, m := range o.Facts.Models {
				if !printable(m.ID) || len(m.ID) > 256 || m.ContextLength < 0 {
					t.Fatalf("model %+v", m)
				}
			}
			evidence, err := json.Marshal(o.Evidence)
			if err != nil || len(evidence) > 16<<10 {
				t.Errorf("evidence of %d bytes: %v", len(evidence), err)
			}
		})
	}
}

func TestProbe_LongListIsUnknown(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"data":[`+strings.Repeat(`{"id":"m"},`, 10_000)+`{"id":"m"}]}`)
	})
	o := once(t, configured(t, "openai-compatible", s.url, ""), probe.Options{}, probe.Ask{})
	if o.Saw != provider.OK || o.Facts.Models != nil || !strings.Contains(o.Facts.Note, "more than 10000") {
		t.Errorf("saw %s, %d models, note %q", o.Saw, len(o.Facts.Models), o.Facts.Note)
	}
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f || c == 0xfffd })
}
