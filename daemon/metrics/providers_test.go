package metrics_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// all is a provider of each sort: each line that there is, is of one of them.
func all() []*scripted {
	limited := sees("limited", "groq", provider.RateLimited)
	limited.sees.RetryAt = time.Now().Add(time.Hour)
	limited.sees.Latency = 70 * time.Millisecond
	limited.sees.Facts.Models = []provider.Model{{ID: "m"}}
	nothing, all := 0.0, 14400.5
	limited.sees.Limits = []provider.Limit{
		{Name: "requests", Remaining: &nothing, Limit: &all, ResetsAt: provider.Time{Time: limited.sees.RetryAt}},
		{Name: `a"\b`, Remaining: &all, At: provider.Time{Time: time.Now()}}, {Name: "tokens", Limit: &all, At: provider.Time{Time: time.Now()}},
	}
	empty := well("empty", "ollama", 0)
	empty.sees.Facts.Models = []provider.Model{}
	busy, full := well("busy", "llamacpp", 1), well("full", "vllm", 1)
	waits := 7
	busy.sees.Facts.Busy, busy.sees.Facts.LoadAsked = &provider.Busy{Running: 1, Slots: 4}, true // it does not say what waits
	full.sees.Facts.Busy, full.sees.Facts.LoadAsked = &provider.Busy{Running: 2, Waiting: &waits}, true
	providers := []*scripted{
		well("ollama:gpu", "ollama", 3), empty, limited, well("beyond", "ollama", 1),
		sees("refused", "vllm", provider.ConnectionRefused), sees("broken", "http", provider.ProbeFailed),
		sees("unknown", "exec", provider.CheckUnknown), sees("paused", "http", provider.OK),
		busy, full,
		// No configuration lets such ids pass.
		well(`quote"`, "http", 0), well(`back\slash`, "http", 0), well("new\nline", "http", 0), well(`\n`, "http", 0),
		well("not\xffUTF-8", "http", 0), well("größe", "http", 0), well(`"} 1`+"\n"+`up{x="`, `k"`, 0),
	}
	providers[3].sees.Latency = time.Minute // beyond the last bucket
	for i, ms := range []int64{1900000000000, 1900000000007, 1900000000070, 1900000000700, 1900000000123, -500} {
		certificate := well(fmt.Sprint("certificate-", i), "tls", 0)
		certificate.sees.Latency = time.Duration(i+1) * 10 * time.Microsecond
		certificate.sees.Evidence.TLS = &provider.TLSStep{GoodUntil: provider.Time{Time: time.UnixMilli(ms)}}
		providers = append(providers, certificate)
	}
	return providers
}

// allRig has all of them, one of them paused.
func allRig(t *testing.T) *rig {
	r := newRig(t, all()...)
	r.pause("paused")
	return r
}

func (r *rig) pause(id string) {
	r.t.Helper()
	if err := r.schedule.SetPaused(id, true); err != nil {
		r.t.Fatal(err)
	}
	for changed := r.store.Changed(id); !r.store.View().Row(id).Status.Paused; changed = r.store.Changed(id) {
		<-changed
	}
}

func families(t *testing.T, text string) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	parsed, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return parsed
}

// What is written by hand says what Prometheus' own library would say, and reads
// back as that.
func TestScrape_OfProvidersIsAsPrometheusWritesIt(t *testing.T) {
	r := allRig(t)
	r.schedule.KeepLatencies(true)
	r.refresh()
	got := families(t, r.text())
	want := map[string]*dto.MetricFamily{}
	for _, f := range r.expected() {
		want[f.GetName()] = f
	}
	for name := range got {
		if strings.HasPrefix(name, "providerd_provider_") && want[name] == nil {
			t.Errorf("nobody expects %s", name)
		}
	}
	for name, f := range want {
		if len(f.Metric) == 0 {
			t.Errorf("no provider of the test has %s", name)
			continue
		}
		if got[name] == nil {
			t.Errorf("%s is missing", name)
			continue
		}
		if diff := cmp.Diff(written(t, f), written(t, got[name])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// written is a family as Prometheus' library writes it.
func written(t *testing.T, f *dto.MetricFamily) []string {
	t.Helper()
	var b strings.Builder
	if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
		t.Fatal(err)
	}
	return strings.SplitAfter(b.String(), "\n")
}

// expected makes the families of the rows, in the library's own types.
func (r *rig) expected() []*dto.MetricFamily {
	x := &expectation{}
	view, counted := r.store.View(), r.schedule.Counted()
	for i := range view.Len() {
		row := view.At(i)
		st, n := &row.Status, counted.Provider(row.Status.ID)
		id := strings.ToValidUTF8(st.ID, "\ufffd")
		x.gauge("info", "Always 1; the labels describe the provider.", 1, "kind", st.Kind, "provider", id, "type", string(st.Type))
		if !st.Paused && st.State != provider.StateUnknown {
			up := 0.0
			if st.State == provider.StateRunning {
				up = 1
			}
			x.gauge("up", "1 if the provider is RUNNING, 0 if not; absent while unknown or paused.", up, "provider", id)
		}
		x.gauge("state", "1 for the provider's state; other states are absent.", 1, "provider", id, "state", string(st.State))
		x.gauge("reason", "1 for the reason of the provider's state; other reasons are absent.", 1, "provider", id, "reason", string(st.Reason))
		x.time("last_change", "When the state last changed, across restarts; absent before the first probe.", st.Since, id)
		x.time("last_ok", "When the last successful probe began, across restarts; absent before the first.", st.LastOKAt, id)
		x.time("next_check", "When the next probe is due; absent while paused.", st.NextCheckAt, id)
		x.time("retry", "Until when the provider asked not to be called; absent if it did not.", st.RetryAt, id)
		for _, l := range st.Limits.All() {
			if l.Remaining != nil {
				x.gauge("limit_remaining", "What is left of a limit, as the provider's last answer stated it; at most 8 limits of each provider. Absent once it is reset.", *l.Remaining, "limit", l.Name, "provider", id)
			}
			if l.Limit != nil {
				x.gauge("limit_size", "The whole of a limit; absent while unknown.", *l.Limit, "limit", l.Name, "provider", id)
			}
			if at := l.ResetsAt; !at.IsZero() {
				x.gauge("limit_reset_timestamp_seconds", "When a limit is reset; absent while unknown.", float64(at.UnixMilli())/1000, "limit", l.Name, "provider", id)
			}
		}
		if d := row.Diagnostics; d != nil && d.TLS != nil {
			x.time("certificate_expiry", "When the first certificate of the chain expires; kind tls only, absent while the handshake fails.", d.TLS.GoodUntil, id)
		}
		if st.LatencyMS > 0 {
			x.gauge("latency_seconds", "Latency of the last probe's deciding request; absent if it was not answered.", st.LatencyMS/1000, "provider", id)
		}
		if b := st.Busy; b != nil {
			x.gauge("requests_running", "Requests that the provider works on, according to itself; absent if it does not report them.", float64(b.Running), "provider", id)
			if b.Waiting != nil {
				x.gauge("requests_waiting", "Requests that wait at the provider, according to itself; absent if it does not report them.", float64(*b.Waiting), "provider", id)
			}
		}
		if st.ModelsCount != nil {
			x.gauge("models", "Number of models that the provider lists; absent while unknown.", float64(*st.ModelsCount), "provider", id)
		}
		const probes = "Conclusive probes of the provider, by outcome: ok or not_ok."
		x.counter("probes_total", probes, n.OK, "outcome", "ok", "provider", id)
		x.counter("probes_total", probes, n.NotOK, "outcome", "not_ok", "provider", id)
		x.histogram("probe_latency_seconds", "Latency of the deciding request of each answered probe; only with metrics_provider_latency.", n.Latencies, id)
	}
	return x.families
}

type expectation struct{ families []*dto.MetricFamily }

func (x *expectation) add(name, help string, kind dto.MetricType, m *dto.Metric, labels ...string) {
	for i := 0; i < len(labels); i += 2 {
		m.Label = append(m.Label, &dto.LabelPair{Name: &labels[i], Value: &labels[i+1]})
	}
	name = "providerd_provider_" + name
	for _, f := range x.families {
		if f.GetName() == name {
			f.Metric = append(f.Metric, m)
			return
		}
	}
	x.families = append(x.families, &dto.MetricFamily{Name: &name, Help: &help, Type: &kind, Metric: []*dto.Metric{m}})
}

func (x *expectation) gauge(name, help string, v float64, labels ...string) {
	x.add(name, help, dto.MetricType_GAUGE, &dto.Metric{Gauge: &dto.Gauge{Value: &v}}, labels...)
}

func (x *expectation) counter(name, help string, n uint64, labels ...string) {
	v := float64(n)
	x.add(name, help, dto.MetricType_COUNTER, &dto.Metric{Counter: &dto.Counter{Value: &v}}, labels...)
}

func (x *expectation) time(name, help string, at provider.Time, id string) {
	if !at.IsZero() {
		x.gauge(name+"_timestamp_seconds", help, float64(at.UnixMilli())/1000, "provider", id)
	}
}

func (x *expectation) histogram(name, help string, d *store.Durations, id string) {
	count, sum, below := d.Count, d.Sum.Seconds(), uint64(0)
	h := &dto.Histogram{SampleCount: &count, SampleSum: &sum}
	for i, step := range store.Steps {
		below += d.Within[i]
		n := below
		h.Bucket = append(h.Bucket, &dto.Bucket{UpperBound: &step, CumulativeCount: &n})
	}
	x.add(name, help, dto.MetricType_HISTOGRAM, &dto.Metric{Histogram: h}, "provider", id)
}

// No family is told twice, and all of one stands together, whichever half it is from.
func TestScrape_IsOneExposition(t *testing.T) {
	for what, r := range map[string]*rig{"many": allRig(t), "one": newRig(t, sees("a", "http", provider.ConnectionRefused)), "none": newRig(t)} {
		text, seen, current := r.text(), map[string]bool{}, ""
		for line := range strings.Lines(text) {
			if name, ok := strings.CutPrefix(line, "# HELP "); ok {
				current, _, _ = strings.Cut(name, " ")
				if seen[current] {
					t.Errorf("%s: %s begins again", what, current)
				}
				seen[current] = true
			} else if !strings.HasPrefix(strings.TrimPrefix(line, "# TYPE "), current) {
				t.Errorf("%s: among those of %s stands %s", what, current, line)
			}
		}
		for _, name := range []string{"go_goroutines", "providerd_build_info", "providerd_probes_total"} {
			if !seen[name] {
				t.Errorf("%s: %s is missing", what, name)
			}
		}
		if seen["providerd_provider_info"] != (what != "none") || seen["providerd_provider_models"] != (what == "many") {
			t.Errorf("%s: %v", what, seen)
		}
		families(t, text)
	}
}

// A wait that has passed is none.
func TestScrape_RetryThatHasPassed(t *testing.T) {
	for wait := time.Second; ; wait *= 2 {
		p := sees("limited", "groq", provider.RateLimited)
		p.sees.RetryAt = time.Now().Add(wait)
		r := newRig(t, p)
		r.pause("limited") // so that nobody asks it anew
		at := r.store.View().Row("limited").Status.RetryAt.Time
		if at.IsZero() && wait < time.Minute {
			continue // it was over before it was judged
		}
		<-time.After(time.Until(at))
		if text := r.text(); at.IsZero() || strings.Contains(text, "providerd_provider_retry_timestamp_seconds") {
			t.Errorf("after %v:\n%s", at, text)
		}
		return
	}
}

// A provider has fourteen series at most, whatever is known of it, three more for each of its
// limits, and one histogram more if somebody wants that.
func TestScrape_SeriesOfAProvider(t *testing.T) {
	r := allRig(t)
	count := func() map[string]int {
		n := map[string]int{}
		for _, found := range regexp.MustCompile(`(?m)^providerd.*provider="((?:[^"\\]|\\.)*)"`).FindAllStringSubmatch(r.text(), -1) {
			n[found[1]]++
		}
		return n
	}
	before := count()
	if len(before) != len(all()) {
		t.Errorf("%d providers: %v", len(before), before)
	}
	for id, n := range before {
		if n > 14 && id != "limited" {
			t.Errorf("%s has %d series", id, n)
		}
	}
	if before["ollama:gpu"] != 11 || before["certificate-0"] != 11 || before["größe"] != 10 || before["limited"] != 11+5 {
		t.Errorf("docs/metrics.md says otherwise: %v", before)
	}
	r.schedule.KeepLatencies(true)
	for id, n := range count() {
		if want := before[id] + len(store.Steps) + 3; n != want {
			t.Errorf("%s has %d series with its latencies, want %d", id, n, want)
		}
	}
}

// Each kind has its latencies, whether or not each provider has.
func TestScrape_LatenciesOfEachKind(t *testing.T) {
	r := newRig(t, well("a", "ollama", 0), well("b", "ollama", 0), well("c", "vllm", 0), sees("d", "http", provider.ConnectionRefused))
	r.schedule.KeepLatencies(true)
	r.refresh()
	for _, each := range []bool{true, false} {
		r.schedule.KeepLatencies(each)
		got := map[string]string{}
		for _, m := range families(t, r.text())["providerd_probe_latency_seconds"].GetMetric() {
			h := m.GetHistogram()
			got[m.Label[0].GetValue()] = fmt.Sprintf("%d in %gs", h.GetSampleCount(), h.GetSampleSum())
		}
		want := map[string]string{"ollama": "4 in 0.00492s", "vllm": "2 in 0.00246s", "http": "0 in 0s"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("latencies of each provider %t: %s", each, diff)
		}
	}
}
