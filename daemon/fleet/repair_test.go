package fleet_test

import (
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/store/provider"
)

// A prober's row and models can be deleted or overwritten, in its own name too.
func TestEngine_AProberRepairsWhatItWrote(t *testing.T) {
	inLab(t, 3, 1, func(l *lab) {
		holder := l.prober("p0")
		holder.local.mu.Lock()
		holder.local.models = []provider.Model{{ID: "m"}}
		holder.local.mu.Unlock()
		holder.local.CheckSoon("p0")
		time.Sleep(time.Second)
		fp := l.identity(0).FP.String()
		row, models, claim := wire.Rows+fp, wire.ModelSet+fp, wire.Claims+fp
		c, _ := l.store.get(claim)
		r := wire.Row{Epoch: c.Created, By: holder.name, Reason: provider.Unauthorized, State: provider.Unauthorized.Meaning().State, Probes: 1}
		for name, change := range map[string]func(){
			"RowForged":         func() { l.store.set(row, r.Encode()) },
			"RowDeleted":        func() { l.store.unset(row) },
			"ModelsOverwritten": func() { l.store.set(models, []byte("x")) },
			"BothDeleted":       func() { l.store.unset(row, models) },
		} {
			time.Sleep(10 * time.Second)
			change()
			time.Sleep(time.Second)
			is, _ := l.store.get(row)
			if r, err := wire.ParseRow(is.Value); err != nil || r.Reason != provider.OK || r.Models == "" {
				t.Errorf("%s: the row is %q", name, is.Value)
			} else if c, _ := l.store.get(models); c.Lease == 0 {
				t.Errorf("%s: the models are %q", name, c.Value)
			} else if _, err := wire.ParseModels(c.Value, r.Models); err != nil {
				t.Errorf("%s: models: %v", name, err)
			}
			for _, m := range l.machines {
				if e := m.entry("p0"); e.row.Reason != provider.OK {
					t.Errorf("%s: %s is told %s", name, m.name, e.row.Reason)
				}
			}
		}
		before, writes := holder.engine.Fleet().Counters.Claims, 0
		l.store.mu.Lock()
		l.store.written = func(by string, c bus.Change, _ int64) {
			if by == holder.name && strings.HasPrefix(c.Key, wire.Rows) {
				writes++
			}
		}
		l.store.mu.Unlock()
		for range 60 * 50 {
			l.store.set(row, r.Encode())
			time.Sleep(20 * time.Millisecond)
		}
		l.store.mu.Lock()
		if writes > 80 {
			t.Errorf("it wrote %d times in a minute, because somebody else did", writes)
		}
		l.store.mu.Unlock()
		if holder.engine.Fleet().Counters.Claims != before || l.prober("p0") != holder {
			t.Error("another prober")
		}
	})
}
