package store_test

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// A row that nobody reads is not encoded: a result then allocates only a row.
func TestStore_Put_EncodesForReadersOnly(t *testing.T) {
	s := configured(t, newPath(t), store.Options{}, "a")
	if err := s.SyncBarrier(t.Context()); err != nil {
		t.Fatal(err)
	}
	u := result("a", provider.StateRunning, "")
	s.Put(u) // RUNNING, and no event: from now on it is no news
	if n := testing.AllocsPerRun(100, func() { s.Put(u) }); n > 1 {
		t.Errorf("%v allocations where nobody asks, want 1", n)
	}
	read := func() {
		row, now := s.View().Row("a"), time.Now()
		want, err := json.Marshal(row.Current(now))
		if got := row.AppendJSON(nil, now); err != nil || string(got) != string(want) {
			t.Errorf("got  %s\nwant %s, %v", got, want, err)
		}
	}
	for range 3 { // encoded when asked for, and then ahead
		read()
		s.Put(u)
	}
	read()
}

// What cannot be encoded is refused when it is put, though it is encoded later: in a status,
// that is a latency or a limit that is not a number. A new field of such a type needs a check in
// checkText.
func TestStore_Put_RefusesWhatIsNoNumber(t *testing.T) {
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		s := configured(t, newPath(t), store.Options{}, "a")
		u := result("a", provider.StateRunning, "")
		l := result("a", provider.StateRunning, "")
		l.Status.Limits = &provider.Limits{{Name: "tokens", Remaining: &f}}
		m := result("a", provider.StateRunning, "")
		m.Status.Limits = &provider.Limits{{Name: "tokens", Limit: &f}}
		u.Status.LatencyMS = f
		for _, u := range []store.Update{u, l, m} {
			if row := s.Put(u); row != nil || s.View().Row("a").Status.State == provider.StateRunning {
				t.Errorf("%v became a row", f)
			}
		}
	}
	var found []string
	var look func(at string, of reflect.Type)
	look = func(at string, of reflect.Type) {
		switch of.Kind() {
		case reflect.Float32, reflect.Float64, reflect.Interface, reflect.Map, reflect.Func, reflect.Chan:
			found = append(found, at)
		case reflect.Pointer, reflect.Slice, reflect.Array:
			look(at, of.Elem())
		case reflect.Struct:
			for i := range of.NumField() {
				if f := of.Field(i); of != reflect.TypeFor[provider.Time]() {
					look(at+"."+f.Name, f.Type)
				}
			}
		}
	}
	look("Status", reflect.TypeFor[provider.Status]())
	if !slices.Equal(found, []string{"Status.LatencyMS", "Status.Limits.Remaining", "Status.Limits.Limit"}) {
		t.Errorf("these may be such that JSON does not know them: %v", found)
	}
}
