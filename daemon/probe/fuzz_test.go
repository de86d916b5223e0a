package probe_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// FuzzProbe: whatever a server answers, the same to every request, a probe of any kind ends
// with a valid verdict, and shows only clean text. It fuzzes every reader of an answer:
// version, list, complaint, metrics. Its seeds are the answers of the scenarios.
func FuzzProbe(f *testing.F) {
	kinds := webKinds()
	all, err := loadScenarios()
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range all {
		of, _ := s.kinds()
		if len(of) != 1 || s.folder == general {
			continue
		}
		for _, a := range s.Answers {
			f.Add(of[0].Name, max(a.Status, 200), a.Headers["Server"], a.Body)
		}
	}
	f.Fuzz(func(t *testing.T, kind string, status int, server, body string) {
		k := kinds[0]
		for _, candidate := range kinds {
			if candidate.Name == kind {
				k = candidate
			}
		}
		if status < 200 || status > 599 || strings.ContainsAny(server, "\r\n") || len(body) > 64<<10 {
			t.Skip("no HTTP answer")
		}
		p := configured(t, k.Name, "http://127.0.0.1:1", "test-key-of-nobody")
		pr, err := probe.New(&p, probe.Options{
			Now:   func() time.Time { return scenarioNow },
			Proxy: func(*http.Request) (*url.URL, error) { return nil, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		echo := &parrot{status: status, header: http.Header{"Server": {server}}, body: body}
		pr.Over(echo)
		for range 2 { // a second one knows what the first learned
			checkObservation(t, pr.Probe(t.Context(), probe.Ask{Facts: true}))
		}
		if echo.asked > 2*12 {
			t.Errorf("two probes sent %d requests", echo.asked)
		}
	})
}

// checkObservation checks what must hold for every observation.
func checkObservation(t *testing.T, o probe.Observation) {
	t.Helper()
	if o.Saw == "" || o.Saw == provider.ProbeFailed {
		t.Errorf("saw %q %q", o.Saw, o.Detail)
	}
	if wait := o.RetryAt.Sub(scenarioNow); !o.RetryAt.IsZero() && (wait < time.Second || wait > 24*time.Hour) {
		t.Errorf("asks again in %s", wait)
	}
	if !printable(o.Detail) || len(o.Detail) > 200 || !printable(o.Facts.Note) || !printable(o.Facts.Version) {
		t.Errorf("detail %q, note %q, version %q", o.Detail, o.Facts.Note, o.Facts.Version)
	}
	if len(o.Facts.Models) > 10_000 {
		t.Errorf("%d models", len(o.Facts.Models))
	}
	for _, m := range o.Facts.Models {
		if !printable(m.ID) || len(m.ID) > 256 || m.ContextLength < 0 || m.Size < 0 {
			t.Errorf("model %+v", m)
		}
	}
	evidence, err := json.Marshal(o.Evidence)
	if err != nil || len(evidence) > 32<<10 || strings.Contains(string(evidence), "test-key-of-nobody") {
		t.Errorf("evidence of %d bytes: %v", len(evidence), err)
	}
}

// A parrot gives every request the same answer.
type parrot struct {
	status int
	header http.Header
	body   string
	asked  int
}

func (p *parrot) RoundTrip(r *http.Request) (*http.Response, error) {
	p.asked++
	return &http.Response{
		StatusCode: p.status, Header: p.header.Clone(), Request: r,
		Body: io.NopCloser(strings.NewReader(p.body)), ContentLength: int64(len(p.body)),
	}, nil
}

func (p *parrot) CloseIdleConnections() {}
