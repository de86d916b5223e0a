package control_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/control"
)

// brokenScrape fails after its first piece.
type brokenScrape struct{ first string }

// WriteTo implements [io.WriterTo].
func (s brokenScrape) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, s.first)
	return int64(n), errors.Join(err, errors.New("broken"))
}

// A scraper can distinguish a partial reply from a complete one, however much was sent.
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

// A failure before anything was sent has its own reply.
func TestScrape_ErrorIsSaid(t *testing.T) {
	r := start(t, control.Options{Metrics: func() (io.WriterTo, error) { return nil, errors.New("no metrics today") }})
	if res, body := r.do("GET", "/metrics", ""); res.StatusCode != 500 || !strings.Contains(body, "no metrics today") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}
