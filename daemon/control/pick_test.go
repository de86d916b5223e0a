package control

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// One read decides what a request is about: a provider that a reload removes right after it must
// not turn "this one" into "all".
func TestPick_HoldsWhileTheConfigurationChanges(t *testing.T) {
	st, err := store.Open(filepath.Join(t.TempDir(), "p.db"), store.Options{First: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	st.Configure([]string{"b", "a", "c"}, nil)
	v := st.View()
	st.Configure(nil, nil)
	for _, names := range [][]string{{"a"}, {"c", "a", "c"}, nil} {
		rows, wrong := pick(v, names)
		if wrong != nil {
			t.Fatal(wrong)
		}
		want := []string{"b", "a", "c"}
		if names != nil {
			want = slices.DeleteFunc(want, func(id string) bool { return !slices.Contains(names, id) })
		}
		if got := idsOf(rows); !slices.Equal(got, want) {
			t.Errorf("%q are %q, want %q", names, got, want)
		}
	}
	for _, names := range [][]string{{"a"}, {"a", "b"}} {
		if rows, wrong := pick(st.View(), names); wrong == nil || wrong.Code != provider.UnknownProvider {
			t.Errorf("%q, which are gone: %v, %v", names, rows, wrong)
		}
	}
	if rows, wrong := pick(st.View(), nil); wrong != nil || idsOf(rows) == nil {
		t.Errorf("all of none: %v, %v; want an empty list that is not nil", rows, wrong)
	}
}
