package feed

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func packed(t *testing.T, r io.Reader) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.Copy(z, r); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zeros is n bytes of nothing.
func zeros(n int64) io.Reader { return io.LimitReader(zero{}, n) }

type zero struct{}

func (zero) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestFetch_Bodies(t *testing.T) {
	for name, tc := range map[string]struct {
		coding string
		body   []byte
		fails  string
	}{
		"Plain":         {"", []byte(well), ""},
		"Gzip":          {"gzip", packed(t, strings.NewReader(well)), ""},
		"NoGzip":        {"gzip", []byte(well), "not valid gzip"},
		"CutOffGzip":    {"gzip", packed(t, strings.NewReader(well))[:30], "breaks off"},
		"Bomb":          {"gzip", packed(t, zeros(100<<20)), "larger than"},
		"TooLarge":      {"", bytes.Repeat([]byte(" "), maxBody+1), "larger than"},
		"UnknownCoding": {"br", []byte(well), `content encoding "br"`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newHarness(t)
				w.handle(func(rw http.ResponseWriter, _ *http.Request) {
					if tc.coding != "" {
						rw.Header().Set("Content-Encoding", tc.coding)
					}
					_, _ = rw.Write(tc.body)
				})
				a := w.fetch(t.Context(), feedURL, nil)
				switch {
				case tc.fails == "" && (a.err != nil || string(a.body) != well):
					t.Errorf("%v, %q", a.err, a.body)
				case tc.fails != "" && (a.err == nil || !strings.Contains(a.err.Error(), tc.fails)):
					t.Errorf("error %v, want one that says %q", a.err, tc.fails)
				}
				w.stop()
			})
		})
	}
}

func TestFetch_Redirects(t *testing.T) {
	for name, tc := range map[string]struct{ to, fails string }{
		"OnTheSameHost":     {"/moved.json", ""},
		"RoundAndRound":     {"/summary.json", "too many redirects"},
		"ToAnotherHost":     {"http://192.0.2.1/x", "a redirect that is not followed"},
		"WithAUser":         {"http://ada:pw@127.0.0.1:8080/moved.json", "a redirect that is not followed"},
		"ToSomethingElse":   {"file:///etc/passwd", "a redirect that is not followed"},
		"ToTheDaemonItself": {"http://127.0.0.1:9456/metrics", "a redirect that is not followed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newHarness(t)
				w.handle(func(rw http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/moved.json" {
						_, _ = rw.Write([]byte(well))
						return
					}
					http.Redirect(rw, r, tc.to, http.StatusFound)
				})
				a := w.fetch(t.Context(), feedURL, nil)
				switch {
				case tc.fails == "" && (a.err != nil || string(a.body) != well):
					t.Errorf("%v, %q", a.err, a.body)
				case tc.fails != "" && (a.err == nil || !strings.Contains(a.err.Error(), tc.fails) || strings.Contains(a.err.Error(), "pw")):
					t.Errorf("error %v, want one that says %q", a.err, tc.fails)
				}
				w.stop()
			})
		})
	}
}

// From https no redirect leads to anything else.
func TestFetch_NoRedirectOutOfTLS(t *testing.T) {
	check := newClient(&Options{}).CheckRedirect
	get := func(u string) *http.Request {
		r, err := http.NewRequest(http.MethodGet, u, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	via := []*http.Request{get("https://status.example.com/feed")}
	if err := check(get("https://other.example.com/feed"), via); err != nil {
		t.Error(err)
	}
	if err := check(get("http://status.example.com/feed"), via); err == nil {
		t.Error("it goes on without TLS")
	}
}

func TestRestOf(t *testing.T) {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	for v, want := range map[string]time.Duration{
		"": 0, "90": 90 * time.Second, "-1": 0, "soon": 0, "99999999999999": 0,
		"Tue, 01 Sep 2026 10:05:00 GMT": 5 * time.Minute, "Tue, 01 Sep 2026 09:00:00 GMT": 0,
	} {
		if got := restOf(http.Header{"Retry-After": {v}}, now); got != want {
			t.Errorf("%q is %s, want %s", v, got, want)
		}
	}
	ahead := http.Header{"Date": {"Mon, 01 Sep 2036 10:00:00 GMT"}, "Retry-After": {"Mon, 01 Sep 2036 10:05:00 GMT"}}
	if got := restOf(ahead, now); got != 5*time.Minute {
		t.Errorf("of a server whose clock is ten years ahead of ours it is %s", got)
	}
}
