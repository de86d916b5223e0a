package metrics_test

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"

	"github.com/providerd/providerd/store/provider"
)

// toldAll is a scrape that has every metric.
func toldAll(t *testing.T) string {
	r := allRig(t)
	r.schedule.KeepLatencies(true)
	r.fleet.Mode = provider.FleetOK
	newCaller(t, r.serve()).call() // a reply to be counted
	return r.text()
}

// Names and help texts are as Prometheus wants them, and docs/metrics.md has them.
func TestScrape_IsWellNamedAndDocumented(t *testing.T) {
	text := toldAll(t)
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "providerd_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	doc, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]bool{}
	for _, name := range regexp.MustCompile("(?m)^\\| `providerd_[a-z_]+`").FindAllString(string(doc), -1) {
		left[strings.Trim(name, "| `")] = true
	}
	for name, family := range families(t, text) {
		if !strings.HasPrefix(name, "providerd_") {
			continue
		}
		delete(left, name)
		row := fmt.Sprintf("| `%s` | %s | %s | %s |", name, strings.ToLower(family.GetType().String()), labelsOf(family), family.GetHelp())
		if !bytes.Contains(doc, []byte(row+"\n")) {
			t.Errorf("docs/metrics.md lacks:\n%s", row)
		}
	}
	for name := range left {
		t.Errorf("docs/metrics.md has %s, which is not served", name)
	}
}

func labelsOf(family *dto.MetricFamily) string {
	var names []string
	for _, l := range family.Metric[0].Label {
		names = append(names, "`"+l.GetName()+"`")
	}
	return cmp.Or(strings.Join(names, ", "), "–")
}

// Prometheus' own tool, where there is one, finds nothing to say. packaging/prometheus/check.sh
// sees that there is.
func TestScrape_IsFineWithPromtool(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil && os.Getenv("PROMTOOL_REQUIRED") == "" {
		t.Skip(err)
	}
	cmd := exec.CommandContext(t.Context(), tool, "check", "metrics")
	cmd.Stdin = strings.NewReader(toldAll(t))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
