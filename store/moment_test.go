package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

func TestMoment_AppendRow(t *testing.T) {
	s := configured(t, newPath(t), store.Options{}, "a", "never")
	u := result("a", provider.StateRunning, "<detail>")
	s.Put(u)
	began := u.Status.CheckedAt.Time
	for _, tt := range []struct {
		name  string
		m     store.Moment
		stale bool
	}{
		{"Fresh", store.Moment{Now: began.Add(9 * time.Millisecond)}, false},
		{"WithALongerAge", store.Moment{Now: began.Add(10 * time.Millisecond)}, false},
		{"OlderThanItsTTL", store.Moment{Now: began.Add(time.Hour)}, true},
		{"AsYoungAsIsWanted", store.Moment{Now: began.Add(time.Second), Young: began}, false},
		{"OlderThanIsWanted", store.Moment{Now: began.Add(time.Second), Young: began.Add(1)}, true},
		{"ClockWentBack", store.Moment{Now: began.Add(-time.Hour), Young: began.Add(-time.Hour)}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := s.View()
			rows := []*store.Row{v.Row("a"), v.Row("never")}
			var got, want []byte
			for i, row := range rows {
				status := row.Current(tt.m.Now)
				status.Stale = tt.stale || i == 1
				text, err := json.Marshal(&status)
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, text...)
				got = tt.m.AppendRow(got, row)
			}
			if string(got) != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if size, ttl := tt.m.Measure(rows); size != len(want) || ttl != 0 {
				t.Errorf("%d bytes, want %d; the smallest ttl_ms is %d, want 0", size, len(want), ttl)
			}
			if _, ttl := tt.m.Measure(rows[:1]); ttl != 11_500 {
				t.Errorf("the ttl_ms is %d", ttl)
			}
		})
	}
	if size, ttl := (store.Moment{}).Measure(nil); size != 0 || ttl != 0 {
		t.Errorf("no rows have %d bytes, and a ttl_ms of %d", size, ttl)
	}
}
