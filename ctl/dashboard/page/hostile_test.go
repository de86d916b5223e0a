package page_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/dashboard/page"
)

// sends answers with JSON, whatever is asked.
func sends(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprint(w, text)
	}
}

// Whatever listens at the daemon's socket, each view is a page that shows no markup of it and
// no control characters.
func TestViews_OfAnythingElse(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"Garbage": sends(200, `{"providers":[{"id":7}`),
		"HTML":    sends(200, `<script>x</script>`),
		"Null":    sends(200, `null`),
		"Nothing": sends(200, `{}`),
		"List":    sends(200, `[]`),
		"Error":   sends(500, `{"error":{"code":"<b>","message":"<script>x</script>\u202e\u0007`+strings.Repeat("y", 10_000)+`","hint":"<img>\u202e"}}`),
		"OddRows": sends(200, `{"ts":"2026-01-01T00:00:00.000Z","seq":18446744073709551615,"providers":[{"id":"a","state":"<i>","reason":"\u0007","detail":"\u202e<script>x","latency_ms":1e308,"since":"9999-12-31T00:00:00.000Z"},{"id":""},{"id":"b","latency_ms":-5}]}`),
		"TooLarge": func(w http.ResponseWriter, _ *http.Request) {
			for range 1 << 12 {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			socket := filepath.Join(t.TempDir(), "s")
			l, err := net.Listen("unix", socket)
			if err != nil {
				t.Fatal(err)
			}
			server := &http.Server{Handler: h}
			go func() { _ = server.Serve(l) }()
			defer server.Close()
			v := page.New(page.Options{Client: &client.Client{Socket: socket, DialPatience: -1}, Base: base, Nonce: "n0nce", Host: "desk", Version: "9.9"})
			for _, path := range []string{"", "models", "events", "fleet", "daemon", "providers/a", "progress.json?generation=1", "progress.json?generation=1&id=a"} {
				w := httptest.NewRecorder()
				v.ServeHTTP(w, httptest.NewRequest("GET", base+path, nil))
				shown := w.Body.String()
				if strings.Contains(shown, "<script>x") {
					t.Errorf("%q: %d: its markup is in the page", path, w.Code)
				}
				if !strings.HasPrefix(path, "progress") {
					shown = text(t, shown)
				}
				if shown == "" || strings.ContainsAny(shown, "\u202e\u0007") {
					t.Errorf("%q: %d %.1000s", path, w.Code, shown)
				}
			}
		})
	}
}
