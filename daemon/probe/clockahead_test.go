package probe

import (
	"net/http"
	"testing"
	"time"
)

func TestClockAhead(t *testing.T) {
	now := time.Date(2026, 11, 22, 14, 20, 0, 600_000_000, time.UTC)
	for _, tt := range []struct {
		name, date, age string
		want            time.Duration
	}{
		{"Same", "Sun, 22 Nov 2026 14:20:00 GMT", "", 0},
		{"TheAnswersWay", "Sun, 22 Nov 2026 14:19:57 GMT", "", 0},
		{"Ahead", "Sun, 22 Nov 2026 15:20:00 GMT", "", time.Hour - 600*time.Millisecond},
		{"Behind", "Sun, 22 Nov 2026 14:10:00 GMT", "", -10*time.Minute - 600*time.Millisecond},
		{"ACachesCopy", "Sun, 22 Nov 2026 14:10:00 GMT", "600", 0},
		{"None", "", "", 0},
		{"NoDate", "yesterday", "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{}
			for name, value := range map[string]string{"Date": tt.date, "Age": tt.age} {
				if value != "" {
					h.Set(name, value)
				}
			}
			if got := clockAhead(h, now); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}
