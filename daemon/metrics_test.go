package daemon

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/providerd/providerd/store/provider"
)

// A scrape is an answer of /metrics.
type scrape map[string]*dto.MetricFamily

func parseScrape(t *testing.T, text string) scrape {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return families
}

func (r *running) scrape() scrape {
	_, body := r.ask("GET", "/metrics", "")
	return parseScrape(r.t, body)
}

// sum adds up the metrics with that name and value of the label; "" is any.
func (s scrape) sum(name, value string) (total float64) {
	for _, m := range s[name].GetMetric() {
		if value == "" || slices.ContainsFunc(m.Label, func(l *dto.LabelPair) bool { return l.GetValue() == value }) {
			total += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return total
}

// still is a daemon with a healthy and a failing provider, both of which are only probed on
// request.
func still(t *testing.T, more string) *running {
	well := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(well.Close)
	ill := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	t.Cleanup(ill.Close)
	return runDaemon(t, more+httpProvider("well", well.URL)+"interval = \"24h\"\n"+httpProvider("ill", ill.URL)+"interval = \"24h\"\n", nil)
}

// The log, the counters and the metrics agree.
func TestMetrics_AgreeWithCountersAndLog(t *testing.T) {
	r := still(t, "")
	r.call("POST", "/api/providers/refresh?wait=5m", nil)
	r.call("POST", "/api/providers/well/diagnose", nil)
	r.call("POST", "/api/providers/ill/pause", nil)
	r.call("POST", "/api/providers/refresh?provider_id=ill&wait=5m", nil) // skipped
	r.call("GET", "/api/providers/nope", nil)
	_, events := r.ask("GET", "/api/events", "") // a stream
	var first provider.Event
	if err := json.NewDecoder(strings.NewReader(events)).Decode(&first); err != nil {
		t.Fatal(err)
	}
	var wrong string
	defer func() {
		if t.Failed() {
			t.Log(wrong)
		}
	}()
	var s scrape
	r.until(func() bool { // a commit may be in progress
		var info provider.DaemonInfo
		r.call("GET", "/api/daemon", &info)
		s = r.scrape()
		c, log := &info.Counters, r.log.String()
		wrong = ""
		for _, x := range []struct {
			what      string
			got, want float64
		}{
			{"probes", s.sum("providerd_probes_total", "") + s.sum("providerd_scheduler_in_flight_probes", ""), float64(c.Probes)},
			{"probes that failed", s.sum("providerd_probes_total", "failed"), float64(c.ProbesFailed)},
			{"probes in the log", s.sum("providerd_probes_total", "") - s.sum("providerd_probes_total", "discarded"), float64(strings.Count(log, "probed provider"))},
			{"answers", s.sum("providerd_probe_latency_seconds", ""), float64(c.Probes)},
			{"refreshes", s.sum("providerd_refreshes_total", ""), float64(c.Refreshes)},
			{"refreshes in the log", s.sum("providerd_refreshes_total", ""), float64(strings.Count(log, "invalidated providers"))},
			{"refreshes skipped", s.sum("providerd_refreshes_total", "skipped"), 1},
			{"coalesced", s.sum("providerd_coalesced_total", ""), float64(c.Coalesced)},
			{"commits", s.sum("providerd_store_commits_total", "ok"), float64(c.Commits)},
			{"commits that failed", s.sum("providerd_store_commits_total", "failed"), float64(c.CommitsFailed)},
			{"commits timed", s.sum("providerd_store_commit_duration_seconds", ""), float64(c.Commits + c.CommitsFailed)},
			{"size", s.sum("providerd_store_database_size_bytes", ""), float64(info.DatabaseBytes)},
			{"events", s.sum("providerd_store_events", ""), float64(info.Seq - first.Seq + 1)},
			{"requests", s.sum("providerd_control_requests_total", ""), float64(c.Requests)},
			{"not found", s.sum("providerd_control_requests_total", "404"), 1},
			{"probes of each", s.sum("providerd_provider_probes_total", ""), s.sum("providerd_probes_total", "ok") + s.sum("providerd_probes_total", "not_ok")},
			{"probes that were not ok", s.sum("providerd_provider_probes_total", "not_ok"), s.sum("providerd_probes_total", "not_ok")},
			{"probes of ill", s.sum("providerd_provider_probes_total", "ill"), s.sum("providerd_probes_total", "not_ok")},
			{"reasons", s.sum("providerd_provider_reason", ""), float64(info.Providers)},
			{"ok", s.sum("providerd_provider_reason", "ok"), 1},
			{"states", s.sum("providerd_provider_state", ""), float64(info.Providers)},
			{"running", s.sum("providerd_provider_state", "RUNNING"), 1},
			{"up", s.sum("providerd_provider_up", ""), 1},
			{"up or not", float64(len(s["providerd_provider_up"].GetMetric())), 1}, // ill is paused
		} {
			if x.got != x.want {
				wrong += fmt.Sprintf("%s: %v, want %v\n", x.what, x.got, x.want)
			}
		}
		return wrong == ""
	})
}

// The metrics of a provider go with it, and a hanging probe delays nothing.
func TestMetrics_FollowTheProviders(t *testing.T) {
	g := newGated(t)
	r := runDaemon(t, httpProvider("a", g.URL)+httpProvider("b", "http://127.0.0.1:1"), nil)
	r.call("POST", "/api/providers/refresh", nil)
	r.until(func() bool { return g.asked.Load() >= 2 }) // it will never answer
	if s := r.scrape(); s.sum("providerd_scheduler_in_flight_probes", "") < 1 || s.sum("providerd_provider_info", "b") != 1 {
		t.Errorf("while a probe hangs: %v", s)
	}
	r.rewrite(httpProvider("a", g.URL))
	r.call("POST", "/api/daemon/reload", nil)
	if _, body := r.ask("GET", "/metrics", ""); strings.Contains(body, `provider="b"`) || !strings.Contains(body, `provider="a"`) {
		t.Errorf("after b is removed:\n%s", body)
	}
}

// A reload decides whether /metrics has the latencies of each provider.
func TestMetrics_LatenciesOfEachProviderOnRequest(t *testing.T) {
	well := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(well.Close)
	const on = "[daemon]\nmetrics_provider_latency = true\n"
	providers := httpProvider("well", well.URL) + "interval = \"24h\"\n"
	r := runDaemon(t, on+providers, nil)
	holds := func(what string, want float64, each bool) {
		t.Helper()
		s := r.scrape()
		if got := s["providerd_provider_probe_latency_seconds"]; (got != nil) != each || s.sum("providerd_provider_probe_latency_seconds", "well") != want {
			t.Errorf("%s: %v", what, got)
		}
		if s.sum("providerd_probe_latency_seconds", "http") != 1 {
			t.Errorf("%s: no latencies of the kind", what)
		}
	}
	holds("at the start", 1, true)
	for _, x := range []struct {
		config string
		each   bool
	}{{providers, false}, {on + providers, true}} {
		r.rewrite(x.config)
		var reload provider.ReloadReply
		r.call("POST", "/api/daemon/reload", &reload)
		if reload.Unchanged != 1 || len(reload.RestartNeeded) != 0 {
			t.Errorf("%+v", reload)
		}
		holds("after a reload", 0, x.each)
	}
}

// Whatever a scraper accepts, it gets the only format, uncompressed.
func TestMetrics_HaveOneFormat(t *testing.T) {
	r := still(t, "")
	for _, accept := range []string{
		"", "*/*", "application/json",
		"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.2,*/*;q=0.1", // of Prometheus 3
		"application/openmetrics-text; version=1.0.0",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
	} {
		req, err := http.NewRequest("GET", "http://localhost/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		req.Header.Set("Accept-Encoding", "gzip, zstd")
		res, err := r.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if h := res.Header; err != nil || h.Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" || h.Get("Content-Encoding") != "" {
			t.Errorf("%q: %v %v", accept, err, h)
		}
		if parseScrape(t, string(body)).sum("providerd_provider_info", "well") != 1 || strings.Contains(string(body), "# EOF") {
			t.Errorf("%q: %s", accept, body)
		}
	}
}

// The port serves only /metrics, and only to programs of this machine.
func TestMetrics_OverTCP(t *testing.T) {
	r := still(t, "[daemon]\nmetrics_listen = \"127.0.0.1:0\"\n")
	var port string
	r.until(func() bool {
		found := regexp.MustCompile(`http://127\.0\.0\.1:(\d+)/metrics`).FindStringSubmatch(r.log.String())
		if found == nil {
			return false
		}
		port = found[1]
		return true
	})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, x := range []struct {
		method, path, host, header string
		status                     int
	}{
		{"GET", "/metrics", "", "", 200},
		{"HEAD", "/metrics", "", "", 200},
		{"GET", "/metrics", "localhost", "", 200},
		{"GET", "/metrics", "LOCALHOST:" + port, "", 200},
		{"GET", "/metrics", "[::1]:" + port, "", 200},
		{"GET", "/metrics", "rebound.example:" + port, "", 403},
		{"GET", "/metrics", "192.0.2.1", "", 403},
		{"GET", "/metrics", "localhost.", "", 403},
		{"GET", "/metrics", "", "Origin", 403},
		{"GET", "/metrics", "", "Referer", 403},
		{"POST", "/metrics", "", "", 405},
		{"OPTIONS", "/metrics", "", "", 405},
		{"GET", "/", "", "", 404},
		{"GET", "/metrics/", "", "", 404},
		{"GET", "/api/daemon", "", "", 404},
		{"POST", "/api/daemon/reload", "", "", 404},
	} {
		req, err := http.NewRequest(x.method, "http://127.0.0.1:"+port+x.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = x.host
		if x.header != "" {
			req.Header.Set(x.header, "http://localhost")
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != x.status {
			t.Errorf("%+v: %d %v %.200s", x, res.StatusCode, err, body)
		}
		if x.status == 200 && x.method == "GET" && parseScrape(t, string(body)).sum("providerd_build_info", "test") != 1 {
			t.Errorf("%+v: %s", x, body)
		}
	}
	r.rewrite("[daemon]\nmetrics_listen = \"127.0.0.1:9456\"\n")
	var reload provider.ReloadReply
	r.call("POST", "/api/daemon/reload", &reload)
	if want := []string{"metrics_listen (now 127.0.0.1:0)"}; !slices.Equal(reload.RestartNeeded, want) {
		t.Errorf("restart needed: %q, want %q", reload.RestartNeeded, want)
	}
}
