package control_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/control"
)

// brokenScrape breaks after its first piece.
type brokenScrape struct{ first string }

// WriteTo implements [io.WriterTo].
func (s brokenScrape) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, s.first)
	return int64(n), errors.Join(err, errors.New("broken"))
}

// A scraper can tell a part from the whole, however little or much of it was sent.
func TestScrape_PartDoesNotPassForTheWhole(t *testing.T) {
	for _, first := range []string{"", "a 1\n", strings.Repeat("a 1\n", 50_000)} {
		r := start(t, control.Options{Metrics: func() (io.WriterTo, error) { return brokenScrape{first}, nil }})
		res, err := r.client.Get("http://localhost/metrics")
		if err == nil {
			_, err = io.ReadAll(res.Body)
			res.Body.Close()
		}
		if err == nil {
			t.Errorf("after %d bytes: no error", len(first))
		}
		if res, body := r.do("GET", "/healthz", ""); res.StatusCode != 200 {
			t.Errorf("after it: %d %s", res.StatusCode, body)
		}
	}
}

// What breaks before anything was sent has a reply of its own.
func TestScrape_ErrorIsSaid(t *testing.T) {
	r := start(t, control.Options{Metrics: func() (io.WriterTo, error) { return nil, errors.New("no metrics today") }})
	if res, body := r.do("GET", "/metrics", ""); res.StatusCode != 500 || !strings.Contains(body, "no metrics today") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}
