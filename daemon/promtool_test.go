package daemon

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// promtool runs Prometheus' own tool, if it is installed. packaging/prometheus/check.sh makes
// sure that it is.
func promtool(t *testing.T, stdin string, args ...string) {
	t.Helper()
	tool, err := exec.LookPath("promtool")
	if err != nil && os.Getenv("PROMTOOL_REQUIRED") == "" {
		t.Skip(err)
	}
	cmd := exec.CommandContext(t.Context(), tool, args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// promtool has no complaints about what a real daemon serves.
func TestPromtool_Metrics(t *testing.T) {
	r := still(t, "")
	r.call("POST", "/api/providers/refresh?wait=5m", nil)
	r.call("POST", "/api/providers/ill/pause", nil)
	_, body := r.ask("GET", "/metrics", "")
	promtool(t, body, "check", "metrics")
}

func TestPromtool_Rules(t *testing.T) {
	promtool(t, "", "check", "rules", rulesFile)
	promtool(t, "", "test", "rules", strings.Replace(rulesFile, ".rules.", ".rules.test.", 1))
}

// Prometheus can read every query of the dashboard and of the docs.
func TestPromtool_Queries(t *testing.T) {
	text := "groups:\n- name: queries\n  rules:\n"
	for i, expr := range append(dashboardQueries(t), documentedQueries(t)...) {
		text += fmt.Sprintf("  - record: q%d\n    expr: %q\n", i, expr)
	}
	file := filepath.Join(t.TempDir(), "queries.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "", "check", "rules", file)
}
