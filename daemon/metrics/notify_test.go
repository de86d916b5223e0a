package metrics_test

import (
	"strings"
	"testing"
)

// A message that waits for the end of the quiet hours is not late.
func TestMetrics_OfSinks(t *testing.T) {
	text := newRig(t).text()
	for _, line := range []string{
		`providerd_notify_sent_total{sink="phone"} 3`, `providerd_notify_failed_total{sink="phone"} 2`,
		`providerd_notify_waiting_messages{sink="phone"} 1`, `providerd_notify_dead_messages{sink="phone"} 2`,
		`providerd_notify_oldest_timestamp_seconds{sink="phone"} 1.7000000005e+09`, `providerd_notify_waiting_messages{sink="quiet"} 1`,
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("it lacks %s", line)
		}
	}
	if strings.Contains(text, `oldest_timestamp_seconds{sink="quiet"}`) {
		t.Error("the quiet one is said to be late")
	}
}
