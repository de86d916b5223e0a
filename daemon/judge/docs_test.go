package judge

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// docs/reasons.md has a row for every rule, and says the same.
func TestRules_AreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/reasons.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[provider.Reason][2]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (\\w+) \\| ([a-z` ]*) \\|").FindAllStringSubmatch(string(page), -1) {
		documented[provider.Reason(m[1])] = [2]string{m[2], strings.TrimSpace(m[3])}
	}
	p := local()
	for reason, rule := range rules {
		row, ok := documented[reason]
		if !ok {
			t.Errorf("%s is not documented", reason)
			continue
		}
		state := string(rule.state)
		if state == "" {
			state = "unchanged"
		}
		changes := "after `fall`"
		if definite(reason, time.Time{}, p) {
			changes = "at once"
		}
		if row != [2]string{state, changes} {
			t.Errorf("%s is documented as %v, and is %s %s", reason, row, state, changes)
		}
	}
}
