package notify

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What lasts is what was announced and what the configuration says, each provider once, and it
// ends in time though nothing happens.
func TestEngine_Maintenance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, filepath.Join(t.TempDir(), "providerd.db"), "a", "b", "c")
		h.run()
		begin := time.Now()
		is := func(want string) {
			t.Helper()
			var got []string
			for _, m := range h.engine.Maintenance() {
				got = append(got, m.ID+" "+m.Until.Sub(begin).String()+" "+m.By)
			}
			if all := strings.Join(got, "; "); all != want {
				t.Errorf("got %q, want %q", all, want)
			}
		}
		announce := func(d time.Duration, ids ...string) {
			t.Helper()
			if err := h.engine.Maintain(t.Context(), ids, begin.Add(d), "uid 7"); err != nil {
				t.Fatal(err)
			}
		}
		is("")
		announce(90*time.Second, "c", "a")
		is("a 1m30s uid 7; c 1m30s uid 7")
		h.engine.Plan(func(id string, now time.Time) time.Time {
			if until := begin.Add(3 * time.Minute); id != "c" && now.Before(until) {
				return until
			}
			return time.Time{}
		})
		is("a 3m0s ; b 3m0s ; c 1m30s uid 7")
		time.Sleep(100 * time.Second)
		is("a 3m0s ; b 3m0s ")
		announce(time.Hour, "a")
		is("a 1h0m0s uid 7; b 3m0s ")
		time.Sleep(2 * time.Minute)
		is("a 1h0m0s uid 7")
		if _, err := h.engine.EndMaintenance(t.Context(), []string{"a"}); err != nil {
			t.Fatal(err)
		}
		is("")
		if got := h.engine.List().Maintenance; got == nil {
			t.Error("List has null, not a list")
		}
		h.close()
	})
}
