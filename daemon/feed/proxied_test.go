package feed

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

const proxyPassword = "pass-of-nobody"

// A proxy, or whoever answers in its place, may send its password back in all that it
// says. None of that can be read in an error, or in what a feed is taken to say.
func TestFetch_ProxySecrets(t *testing.T) {
	sent := base64.StdEncoding.EncodeToString([]byte("me:" + proxyPassword))
	incident := func(name string) string {
		body := `{"components":[{"name":"API","status":"major_outage"}],"incidents":[{"name":"` + name + `","status":"investigating"}]}`
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	for name, tt := range map[string]struct {
		feed, says string
		fails      string // a part of the error
	}{
		"RefusesATunnel":     {"https://status.example/", "HTTP/1.1 407 " + sent + " is wrong\r\n\r\n", "answered 407 Proxy Authentication Required"},
		"NoStatus":           {"https://status.example/", "HTTP/1.1 " + sent + "\r\n\r\n", `malformed HTTP status code "***`},
		"NoHTTP":             {"https://status.example/", sent + "\r\n\r\n", `malformed HTTP response "***`},
		"NoHTTPForAPage":     {"http://status.example/", sent + "\r\n\r\n", `malformed HTTP response "***`},
		"LongAndNoHTTP":      {"https://status.example/", strings.Repeat("-", 1010) + sent + strings.Repeat("-", 3000) + "\r\n\r\n", "malformed HTTP response"},
		"OddLength":          {"http://status.example/", "HTTP/1.1 200 OK\r\nContent-Length: " + sent + "\r\n\r\n", `bad Content-Length "***`},
		"OddCoding":          {"http://status.example/", "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + proxyPassword + "\r\n\r\n", "***"},
		"OddPacking":         {"http://status.example/", "HTTP/1.1 200 OK\r\nContent-Encoding: " + proxyPassword + "\r\n\r\n", "***"},
		"InAFeed":            {"http://status.example/", incident(proxyPassword), "repeats the password"},
		"InAFeedAndSpelled":  {"http://status.example/", incident(hex.EncodeToString([]byte(proxyPassword))), "repeats the password"},
		"FarIntoAFeed":       {"http://status.example/", incident(strings.Repeat("x", lookAt-overlap/2) + sent), "repeats the password"},
		"AFeedWithNoneOfIt":  {"http://status.example/", incident("nothing of it"), ""},
		"AFeedOfMuchAndWell": {"http://status.example/", incident(strings.Repeat("a \\n word ", 20_000)), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if got := r.Header.Get("Proxy-Authorization"); got != "Basic "+sent {
					t.Errorf("the proxy was sent %q", got)
				}
				c, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer c.Close()
				fmt.Fprint(c, tt.says)
			}))
			defer proxy.Close()
			u, err := url.Parse(strings.Replace(proxy.URL, "http://", "http://me:"+proxyPassword+"@", 1))
			if err != nil {
				t.Fatal(err)
			}
			a := New(Options{Proxy: http.ProxyURL(u)}).fetch(t.Context(), tt.feed, nil)
			switch {
			case tt.fails == "" && (a.err != nil || len(a.body) == 0):
				t.Errorf("%v, %d bytes", a.err, len(a.body))
			case tt.fails != "" && (a.err == nil || !strings.Contains(a.err.Error(), tt.fails) || a.body != nil):
				t.Errorf("%v and %d bytes, want an error with %q", a.err, len(a.body), tt.fails)
			}
			if a.err != nil && (strings.Contains(a.err.Error(), sent[:8]) || strings.Contains(a.err.Error(), proxyPassword)) {
				t.Errorf("the error repeats it: %v", a.err)
			}
		})
	}
}
