package daemon

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"

	"github.com/providerd/providerd/store/provider"
)

const (
	rulesFile     = "../packaging/prometheus/providerd.rules.yml"
	dashboardFile = "../packaging/grafana/providerd.json"
	metricsDoc    = "../docs/metrics.md"
)

// Alerts, dashboard and docs use the names and labels of /metrics.
func TestMetrics_AreThoseOfRulesAndDashboard(t *testing.T) {
	r := still(t, "")
	r.call("POST", "/api/providers/refresh?wait=5m", nil)
	var s scrape
	r.until(func() bool { // the row of the healthy provider may not be on the disk yet
		s = r.scrape()
		return s.sum("providerd_provider_reason", "ok") == 1
	})
	s.addDocumented(t)
	reasons, err := os.ReadFile("../docs/reasons.md")
	if err != nil {
		t.Fatal(err)
	}
	for where, exprs := range map[string][]string{rulesFile: ruleQueries(t), dashboardFile: dashboardQueries(t), metricsDoc: documentedQueries(t)} {
		if len(exprs) < 12 {
			t.Errorf("%s: only %d queries were found", where, len(exprs))
		}
		for _, expr := range exprs {
			if err := s.holds(expr, string(reasons)); err != nil {
				t.Errorf("%s: %v in %s", where, err, expr)
			}
		}
	}
}

// addDocumented adds the metrics that no provider of the scrape has. A test in daemon/metrics
// checks that docs/metrics.md is right about them.
func (s scrape) addDocumented(t *testing.T) {
	t.Helper()
	doc, err := os.ReadFile(metricsDoc)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `(providerd_[a-z_]+)` \\| ([a-z]+) \\| ([^|]+) \\|").FindAllStringSubmatch(string(doc), -1) {
		if s[row[1]] != nil {
			continue
		}
		kind := dto.MetricType(dto.MetricType_value[strings.ToUpper(row[2])])
		m := &dto.Metric{}
		for _, label := range regexp.MustCompile("[a-z]+").FindAllString(row[3], -1) {
			m.Label = append(m.Label, &dto.LabelPair{Name: &label, Value: new(string)})
		}
		s[row[1]] = &dto.MetricFamily{Name: &row[1], Type: &kind, Metric: []*dto.Metric{m}}
	}
}

// The dashboard shows all metrics of a fleet.
func TestMetrics_OfAFleetAreOnTheDashboard(t *testing.T) {
	doc, err := os.ReadFile(metricsDoc)
	if err != nil {
		t.Fatal(err)
	}
	shown := strings.Join(dashboardQueries(t), "\n")
	names := regexp.MustCompile("(?m)^\\| `(providerd_fleet_[a-z_]+)`").FindAllStringSubmatch(string(doc), -1)
	for _, name := range names {
		if !strings.Contains(shown, name[1]+"{") {
			t.Error("not on the dashboard: ", name[1])
		}
	}
	if len(names) == 0 {
		t.Error("docs/metrics.md has no metric of a fleet")
	}
}

// What the test above finds.
func TestMetrics_HoldsQueriesToAScrape(t *testing.T) {
	s := parseScrape(t, `# TYPE a_total counter
a_total{outcome="ok",provider="x"} 1
# TYPE h histogram
h_bucket{provider="x",le="1"} 1
h_bucket{provider="x",le="+Inf"} 1
h_sum{provider="x"} 1
h_count{provider="x"} 1
# TYPE s gauge
s{provider="x",state="RUNNING"} 1
`)
	for expr, says := range map[string]string{
		`sum by (provider) (rate(a_total{outcome=~"ok",job="j"}[5m])) / on (provider) time() > 1e3`: "",
		`histogram_quantile(0.9, sum by (le) (rate(h_bucket[5m]))) unless up == 0`:                  "",
		`b_total`:                     "no such metric: b_total",
		`rate(a[5m])`:                 "no such metric: a",
		`h_total`:                     "no such metric: h_total",
		`h`:                           "no such metric: h",
		`a_total_count`:               "no such metric: a_total_count",
		`a_total{state="ok"}`:         "a_total has no label state",
		`h_count{le="1"}`:             "h_count has no label le",
		`sum by (state) (a_total)`:    "no label state",
		`a_total and on (le) a_total`: "no label le",
		`s{state="RUNNING"} or s{state="UNKNOWN"}`: "",
		`s{state="UP"}`:                        "no state UP",
		`a_total{outcome="done"}`:              "no outcome done",
		`a_total{outcome=~"ok|done"}`:          "no outcome done",
		`a_total{provider="x", reason="typo"}`: "no label reason",
	} {
		if err := s.holds(expr, ""); says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v, want %q", expr, err, says)
		}
	}
}

// ruleQueries are the expressions of the alerts. A rules file is simple enough to be read by
// lines: an expression is behind its name, or indented below it.
func ruleQueries(t *testing.T) []string {
	text, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	var exprs []string
	for _, found := range regexp.MustCompile(`(?m)^        expr: (?:>-\n((?:          .*\n)+)|(.*)\n)`).FindAllStringSubmatch(string(text), -1) {
		exprs = append(exprs, cmp.Or(found[1], found[2]))
	}
	if n := strings.Count(string(text), "- alert: "); n != len(exprs) {
		t.Errorf("%d alerts have %d expressions", n, len(exprs))
	}
	return exprs
}

// documentedQueries are those that docs/metrics.md shows under "Queries".
func documentedQueries(t *testing.T) (exprs []string) {
	text, err := os.ReadFile(metricsDoc)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "### Queries\n")
	section, _, _ := strings.Cut(after, "\n## ")
	for line := range strings.Lines(section) {
		if expr, ok := strings.CutPrefix(line, "    "); ok {
			exprs = append(exprs, strings.TrimSpace(expr))
		}
	}
	return exprs
}

// dashboardQueries are the expressions of the panels, annotations and variables.
func dashboardQueries(t *testing.T) (exprs []string) {
	d := readDashboard(t)
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			exprs = append(exprs, target.Expr)
		}
	}
	for _, a := range d.Annotations.List {
		if a.Expr != "" {
			exprs = append(exprs, a.Expr)
		}
	}
	for _, v := range d.Templating.List {
		if values := regexp.MustCompile(`^label_values\((.*), (\w+)\)$`).FindStringSubmatch(v.Definition); values != nil {
			exprs = append(exprs, fmt.Sprintf("count by (%s) (%s)", values[2], values[1]))
		}
	}
	for i := range exprs {
		exprs[i] = strings.ReplaceAll(exprs[i], "$__rate_interval", "5m")
	}
	return exprs
}

// The parts of a query. Numbers include their unit.
var queryToken = regexp.MustCompile(`"[^"]*"|[0-9][0-9a-z.]*|[A-Za-z_][A-Za-z0-9_]*|=~|!~|!=|[^\s]`)

// Words of the language that are followed by names of labels, or by neither these nor a
// bracket; and the functions in use.
var (
	labelWords = []string{"by", "on", "without", "ignoring", "group_left", "group_right"}
	queryWords = []string{"and", "or", "unless", "bool"}
	functions  = []string{
		"absent", "avg_over_time", "changes", "count", "histogram_quantile", "increase", "max", "max_over_time", "min",
		"quantile_over_time", "rate", "sum", "time", "vector",
	}
)

// holds reports what a query asks for that does not exist.
func (s scrape) holds(expr, reasons string) error {
	tokens := queryToken.FindAllString(expr, -1)
	allowed := []string{"job", "instance"} // Prometheus' own
	var grouped []string
	for i := 0; i < len(tokens); i++ {
		word := tokens[i]
		next := ""
		if i+1 < len(tokens) {
			next = tokens[i+1]
		}
		switch {
		case !regexp.MustCompile(`^[A-Za-z_]`).MatchString(word), slices.Contains(queryWords, word):
		case slices.Contains(labelWords, word):
			end := i + slices.Index(tokens[i:], ")")
			for _, name := range tokens[i+2 : end] {
				if name != "," {
					grouped = append(grouped, name)
				}
			}
			i = end
		case slices.Contains(functions, word):
		default:
			labels, err := s.labels(word)
			if err != nil {
				return err
			}
			allowed = append(allowed, labels...)
			if next != "{" {
				continue
			}
			end := i + slices.Index(tokens[i:], "}")
			if err := s.matches(word, labels, tokens[i+2:end], reasons); err != nil {
				return err
			}
			i = end
		}
	}
	for _, name := range grouped {
		if !slices.Contains(allowed, name) {
			return fmt.Errorf("nothing there has the label: no label %s", name)
		}
	}
	return nil
}

// labels are those of a metric as a query names it.
func (s scrape) labels(metric string) ([]string, error) {
	if metric == "up" {
		return nil, nil
	}
	if strings.HasPrefix(metric, "process_") && runtime.GOOS != "linux" {
		return nil, nil // metrics of the process differ by system
	}
	name, part := metric, ""
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if base, ok := strings.CutSuffix(metric, suffix); ok && s[base].GetType() == dto.MetricType_HISTOGRAM && s[base] != nil {
			name, part = base, suffix
		}
	}
	family := s[name]
	if family == nil || family.GetType() == dto.MetricType_HISTOGRAM && part == "" {
		return nil, fmt.Errorf("no such metric: %s", metric)
	}
	var labels []string
	for _, l := range family.Metric[0].Label {
		labels = append(labels, l.GetName())
	}
	if part == "_bucket" {
		labels = append(labels, "le")
	}
	return labels, nil
}

// matches checks what is between the braces of a metric.
func (s scrape) matches(metric string, labels, tokens []string, reasons string) error {
	for i := 0; i+2 < len(tokens); i += 4 { // name, operator, value, comma
		name, value := tokens[i], strings.Trim(tokens[i+2], `"`)
		if name == "job" || name == "instance" {
			continue
		}
		if !slices.Contains(labels, name) {
			return fmt.Errorf("%s has no label %s", metric, name)
		}
		if strings.Contains(value, "$") {
			continue
		}
		for _, one := range strings.Split(value, "|") {
			switch name {
			case "state": // only the current one is served
				if !slices.Contains(provider.States[:], provider.State(one)) {
					return fmt.Errorf("there is no state %s", one)
				}
			case "outcome": // all values are always served
				if s.sum(metric, one) == 0 && !s.has(metric, one) {
					return fmt.Errorf("%s has no %s %s", metric, name, one)
				}
			case "reason":
				if !strings.Contains(reasons, "| `"+one+"` |") {
					return fmt.Errorf("there is no reason %s", one)
				}
			}
		}
	}
	return nil
}

// has reports whether a metric has a label with that value.
func (s scrape) has(metric, value string) bool {
	return slices.ContainsFunc(s[metric].GetMetric(), func(m *dto.Metric) bool {
		return slices.ContainsFunc(m.Label, func(l *dto.LabelPair) bool { return l.GetValue() == value })
	})
}

// A dashboard is the part of Grafana's format that matters here.
type dashboard struct {
	ID            *int
	UID           string
	SchemaVersion int
	Panels        []struct {
		ID         int
		Type       string
		Title      string
		Datasource *struct{ UID string }
		GridPos    struct{ X, Y, W, H int }
		Targets    []struct {
			RefID      string
			Expr       string
			Datasource struct{ UID string }
		}
	}
	Annotations struct{ List []struct{ Expr string } }
	Templating  struct {
		List []struct{ Name, Type, Definition string }
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	text, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// Grafana accepts the dashboard with any data source, and shows all of it.
func TestDashboard_IsWhole(t *testing.T) {
	d := readDashboard(t)
	if d.ID != nil || d.UID == "" || d.SchemaVersion < 36 {
		t.Errorf("id %v, uid %q, schemaVersion %d", d.ID, d.UID, d.SchemaVersion)
	}
	variables := []string{"__rate_interval"}
	for _, v := range d.Templating.List {
		variables = append(variables, v.Name)
	}
	text, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, used := range regexp.MustCompile(`\$\{?(\w+)`).FindAllStringSubmatch(string(text), -1) {
		if !slices.Contains(variables, used[1]) && used[1] != "__all" {
			t.Errorf("no variable is called %s", used[1])
		}
	}
	ids, cells := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if p.Title == "" || ids[p.ID] {
			t.Errorf("panel %d %q: no title, or the id is used twice", p.ID, p.Title)
		}
		ids[p.ID] = true
		if p.Type != "row" && (len(p.Targets) == 0 || p.Datasource == nil || p.Datasource.UID != "${datasource}") {
			t.Errorf("%s: %d queries of data source %v", p.Title, len(p.Targets), p.Datasource)
		}
		refs := map[string]bool{}
		for _, target := range p.Targets {
			if refs[target.RefID] || target.RefID == "" || target.Datasource.UID != "${datasource}" {
				t.Errorf("%s: query %q of data source %s", p.Title, target.RefID, target.Datasource.UID)
			}
			refs[target.RefID] = true
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if cells[[2]int{x, y}] != "" || x >= 24 {
					t.Fatalf("%s lies over %s", p.Title, cmp.Or(cells[[2]int{x, y}], "the edge"))
				}
				cells[[2]int{x, y}] = p.Title
			}
		}
	}
}
