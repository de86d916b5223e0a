package probe_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A hostility is what a server does to its clients.
type hostility struct {
	answer http.HandlerFunc
	want   []provider.Reason // one of these; any body may be right for the http kind
}

// bomb is 8 MiB of zeros, compressed.
var bomb = sync.OnceValue(func() string {
	var b strings.Builder
	z := gzip.NewWriter(&b)
	for range 8 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	_ = z.Close()
	return b.String()
})

// hostilities are the same for every kind and every path.
func hostilities() map[string]hostility {
	bad := []provider.Reason{provider.BadResponse}
	raw := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer c.Close()
			_, _ = io.WriteString(c, text)
		}
	}
	return map[string]hostility{
		"endless body": {answer: func(w http.ResponseWriter, r *http.Request) {
			block := []byte(strings.Repeat(" ", 1<<16))
			for r.Context().Err() == nil {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		}, want: bad},
		"a header of 10 MB": {answer: raw("HTTP/1.1 200 OK\r\nX-A: " + strings.Repeat("a", 10<<20) + "\r\n\r\n{}"), want: bad},
		"endless headers": {answer: func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer c.Close()
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for err == nil {
				_, err = io.WriteString(c, "X-A: a\r\n")
			}
		}, want: bad},
		"gzip bomb":         {answer: page{headers: map[string]string{"Content-Encoding": "gzip"}, body: bomb()}.ServeHTTP, want: bad},
		"gzip that is none": {answer: page{headers: map[string]string{"Content-Encoding": "gzip"}, body: `{"version":"1"}`}.ServeHTTP, want: bad},
		"100 redirects": {answer: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", r.URL.Path+"/again")
			w.WriteHeader(http.StatusFound)
		}, want: bad},
		"broken chunking":  {answer: raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n"), want: bad},
		"negative length":  {answer: raw("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}"), want: bad},
		"deep JSON":        {answer: page{body: strings.Repeat(`{"data":[`, 100_000)}.ServeHTTP, want: bad},
		"a long complaint": {answer: page{status: 500, body: strings.Repeat("no\r\n\t\x00\xff", 100_000)}.ServeHTTP, want: []provider.Reason{provider.ServerError}},
		"many limits": {answer: func(w http.ResponseWriter, _ *http.Request) {
			for i := range 500 {
				w.Header().Set(fmt.Sprintf("X-Ratelimit-Reset-%d", i), "999999999999999999999999s")
				w.Header().Set(fmt.Sprintf("X-Ratelimit-Remaining-%d", i), "NaN")
			}
			w.WriteHeader(http.StatusTooManyRequests)
		}, want: []provider.Reason{provider.RateLimited}},
	}
}

// TestPromise6_AProviderCannotHurtTheDaemon: whatever a server sends to a probe of any
// kind, the probe ends long before its timeout, keeps little, and reports one line.
func TestPromise6_AProviderCannotHurtTheDaemon(t *testing.T) {
	t.Parallel()
	for name, h := range hostilities() {
		s := serve(t, h.answer)
		for _, k := range webKinds() {
			t.Run(name+"/"+k.Name, func(t *testing.T) {
				o := suffer(t, configured(t, k.Name, s.url, ""))
				if !slices.Contains(h.want, o.Saw) && (k.Type != provider.Generic || o.Saw != provider.OK) {
					t.Errorf("saw %s %q, want %v", o.Saw, o.Detail, h.want)
				}
			})
		}
	}
}

// TestPromise6_ADripEndsWithTheTime: a server that sends a byte a second gets no more time
// than one that says nothing.
func TestPromise6_ADripEndsWithTheTime(t *testing.T) {
	t.Parallel()
	for _, k := range webKinds() {
		t.Run(k.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t, false)
				s := serveOver(t, n, func(w http.ResponseWriter, r *http.Request) {
					drip := time.NewTicker(time.Second)
					defer drip.Stop()
					for r.Context().Err() == nil {
						_, _ = io.WriteString(w, " ")
						_ = http.NewResponseController(w).Flush()
						select {
						case <-drip.C:
						case <-r.Context().Done():
						}
					}
				})
				o := newProber(t, configured(t, k.Name, s.url, ""), probe.Options{Dial: n.dial}).Probe(t.Context(), allAsk)
				if o.Saw != provider.Hung || o.Took != patient {
					t.Errorf("saw %s %q after %s", o.Saw, o.Detail, o.Took)
				}
				mustBeHarmless(t, o)
			})
		})
	}
}

// TestPromise6_InItsOwnShape: the right server, but broken or hostile.
func TestPromise6_InItsOwnShape(t *testing.T) {
	t.Parallel()
	for name, spoil := range spoilings {
		for _, k := range webKinds() {
			s := *healthyOf(t, k.Name)
			s.Answers = slices.Clone(s.Answers)
			spoiled := false // a kind may have no list to spoil
			for i := range s.Answers {
				body := spoil(s.Answers[i].Body)
				spoiled = spoiled || body != s.Answers[i].Body
				s.Answers[i].Body = body
			}
			t.Run(name+"/"+k.Name, func(t *testing.T) {
				theatre, err := open(&s)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(theatre.close)
				p := play{scenario: &s, kind: k}
				p.configure(theatre)
				o := suffer(t, p.provider)
				if strings.HasPrefix(name, "100,000") && spoiled && len(o.Facts.Models) > 0 {
					t.Errorf("%d models of a list that is too long to be known whole", len(o.Facts.Models))
				}
			})
		}
	}
}

// TestPromise6_RedirectsKeepTheKey: the target of a redirect to another host gets no
// request.
func TestPromise6_RedirectsKeepTheKey(t *testing.T) {
	t.Parallel()
	other := serve(t, jsonPage(`{}`).ServeHTTP)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.url+r.URL.Path, http.StatusTemporaryRedirect)
	})
	for _, k := range webKinds() {
		o := once(t, configured(t, k.Name, s.url, "test-key-of-nobody"), probe.Options{}, allAsk)
		if asked := other.asked(); len(asked) > 0 || o.Saw != provider.BadResponse {
			t.Errorf("%s: saw %s %q, and the other host was asked for %v", k.Name, o.Saw, o.Detail, asked)
		}
	}
}

// suffer probes, in parallel with other tests, and checks the promise.
func suffer(t *testing.T, p config.Provider) probe.Observation {
	t.Helper()
	pr := newProber(t, p, probe.Options{})
	t.Parallel()
	o := pr.Probe(t.Context(), allAsk)
	if o.Took >= p.Timeout {
		t.Errorf("it took all of its %s", p.Timeout)
	}
	mustBeHarmless(t, o)
	return o
}

// mustBeHarmless checks what is kept and shown of a server's answers.
func mustBeHarmless(t *testing.T, o probe.Observation) {
	t.Helper()
	if o.Saw == "" || o.Saw == provider.ProbeFailed {
		t.Errorf("saw %q %q", o.Saw, o.Detail)
	}
	if !printable(o.Detail) || len(o.Detail) > 200 || len(o.Facts.Models) > 10_000 {
		t.Errorf("detail %q, %d models", o.Detail, len(o.Facts.Models))
	}
	for _, m := range o.Facts.Models {
		if !printable(m.ID+m.Family+m.Quantization) || len(m.ID) > 256 || m.Size < 0 || m.ContextLength < 0 {
			t.Fatalf("model %+v", m)
		}
	}
	if f := o.Facts; !printable(f.Version+f.Note+strings.Join(f.Loaded, "")) || len(f.Version) > 64 || len(f.Loaded) > 10_000 {
		t.Errorf("version %q, note %q, %d loaded", f.Version, f.Note, len(f.Loaded))
	}
	evidence, err := json.Marshal(o.Evidence)
	if err != nil || len(evidence) > 16<<10 {
		t.Errorf("evidence of %d bytes: %v", len(evidence), err)
	}
}

// TestPromise6_Memory bounds the memory that a probe uses and keeps for a body of the
// largest size. It runs alone.
func TestPromise6_Memory(t *testing.T) {
	const taken, kept = 64 << 20, 4 << 20
	for name, answer := range map[string]http.HandlerFunc{
		"endless body": hostilities()["endless body"].answer,
		"gzip bomb":    hostilities()["gzip bomb"].answer,
		"100,000 models": page{body: `{"object":"list","data":[` +
			strings.Repeat(`{"id":"m"},`, 100_000) + `{"id":"m"}]}`}.ServeHTTP,
		"9,999 models": page{body: `{"object":"list","data":[` +
			strings.Repeat(`{"id":"a-model-with-a-name-as-they-have-it","owned_by":"somebody"},`, 9_998) + `{"id":"m"}]}`}.ServeHTTP,
	} {
		s := serve(t, answer)
		pr := newProber(t, configured(t, "openai-compatible", s.url, ""), probe.Options{})
		pr.Probe(t.Context(), allAsk)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		o := pr.Probe(t.Context(), allAsk)
		runtime.ReadMemStats(&after)
		total := after.TotalAlloc - before.TotalAlloc
		runtime.GC()
		runtime.ReadMemStats(&after)
		live := int64(after.HeapAlloc) - int64(before.HeapAlloc)
		if t.Logf("%s: %d KiB taken, %d KiB kept", name, total>>10, live>>10); total > taken || live > kept {
			t.Errorf("%s: takes %d bytes and keeps %d", name, total, live)
		}
		runtime.KeepAlive(o)
	}
}

// spoilings turn the bodies of a healthy scenario into what no vendor sends.
var spoilings = map[string]func(body string) string{
	"invalid UTF-8": func(body string) string { return strings.ReplaceAll(body, `":"`, `":"`+"\xff\xfe") },
	"escapes":       func(body string) string { return strings.ReplaceAll(body, `":"`, `":"\u001b[31m\n\u0000`) },
	"NaN":           func(body string) string { return numbers.ReplaceAllString(body, "${1}NaN") },
	"400-digit numbers": func(body string) string {
		return numbers.ReplaceAllString(body, "${1}1"+strings.Repeat("0", 400))
	},
	"negative numbers": func(body string) string { return numbers.ReplaceAllString(body, "${1}-5") },
	"fractions":        func(body string) string { return numbers.ReplaceAllString(body, "${1}1e-400") },
	"long names":       func(body string) string { return strings.ReplaceAll(body, `":"`, `":"`+strings.Repeat("ö", 3_000)) },
	"cut in half":      func(body string) string { return body[:len(body)/2] },
	"no strings":       func(body string) string { return texts.ReplaceAllString(body, `":7`) },
	"nulls":            func(body string) string { return texts.ReplaceAllString(body, `":null`) },
	"deeper than any": func(body string) string {
		return strings.Replace(body, "{", `{"x":`+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)+",", 1)
	},
	"100,000 models":   func(body string) string { return withRows(body, 100_000, shortRow) },
	"100,000 nothings": func(body string) string { return withRows(body, 100_000, func(map[string]any) string { return "{}" }) },
}
