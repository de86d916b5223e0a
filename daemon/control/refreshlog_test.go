package control

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/providerd/providerd/store"
)

func TestRation(t *testing.T) {
	st, err := store.Open(filepath.Join(t.TempDir(), "p.db"), store.Options{First: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	st.Configure([]string{"a", "b"}, nil)
	r := ration{said: map[string]saying{}}
	now := time.Now()
	for _, tt := range []struct {
		id    string
		after time.Duration
		say   bool
		more  int
	}{
		{"a", 0, true, 0},
		{"a", 0, false, 0},
		{"b", 0, true, 0},
		{everyProvider, 0, true, 0},
		{"a", 999 * time.Millisecond, false, 0},
		{"a", time.Second, true, 2},
		{"a", 2 * time.Second, true, 0},
		{"b", time.Hour, true, 0},
	} {
		say, more := r.take(tt.id, now.Add(tt.after), st.View())
		if say != tt.say || more != tt.more {
			t.Errorf("%q after %v: %v and %d more, want %v and %d", tt.id, tt.after, say, more, tt.say, tt.more)
		}
	}
	for i := range 100 {
		id := fmt.Sprint("p", i)
		st.Configure([]string{"a", id}, nil)
		r.take(id, now, st.View())
		if len(r.said) > 3 {
			t.Fatalf("%d are kept for 2 providers", len(r.said))
		}
	}
	if say, _ := r.take("a", now.Add(2*time.Second), st.View()); say {
		t.Error("one that still exists was forgotten")
	}
}
