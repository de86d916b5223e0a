package store_test

import (
	"testing"
	"time"

	"github.com/providerd/providerd/store"
)

func TestDurations_Add(t *testing.T) {
	var d store.Durations
	for _, took := range []time.Duration{0, 500 * time.Microsecond, 501 * time.Microsecond, 10 * time.Second, time.Minute} {
		d.Add(took)
	}
	last := len(store.Steps) - 1
	if d.Within[0] != 2 || d.Within[1] != 1 || d.Within[last] != 1 || d.Count != 5 || d.Sum != 70*time.Second+1001*time.Microsecond {
		t.Errorf("%+v", d)
	}
}
