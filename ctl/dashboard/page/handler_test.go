package page_test

import (
	"compress/gzip"
	"io"
	"net/http/httptest"
	"testing"
)

// A browser gets views compressed, which says the same.
func TestViews_Compressed(t *testing.T) {
	h := views(startDaemon(t, mixed()...))
	for _, path := range []string{"", "models", "events", "fleet", "daemon", "providers/ollama"} {
		plain := get(t, h, base+path, 200)
		r := httptest.NewRequest("GET", base+path, nil)
		r.Header.Set("Accept-Encoding", "deflate, gzip, br")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if coding := w.Header().Get("Content-Encoding"); coding != "gzip" {
			t.Fatalf("%q: Content-Encoding %q", path, coding)
		}
		size := w.Body.Len()
		zip, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := io.ReadAll(zip)
		if err != nil || text(t, string(unpacked)) == "" || len(unpacked) < len(plain)*9/10 || size > len(plain)/2 {
			t.Errorf("%q: %v; %d bytes, compressed %d, plain %d", path, err, len(unpacked), size, len(plain))
		}
	}
}

// An error is not called compressed when it is not.
func TestViews_ErrorsAreNotCompressed(t *testing.T) {
	h := views(startDaemon(t, mixed()...))
	r := httptest.NewRequest("GET", base+"providers/nope", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if coding := w.Header().Get("Content-Encoding"); w.Code != 404 || coding != "" {
		t.Errorf("%d, Content-Encoding %q", w.Code, coding)
	}
	mustHave(t, "the page", text(t, w.Body.String()), "no such provider")
}
