package fleettest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/store/provider"
)

// A member of a later version writes keys, fields and words that this one does not know. Fields
// of a row are kept by the next one that writes it, keys are left alone, and a row with unknown
// words is as if there were none.
func TestFleet_AMemberOfALaterVersion(t *testing.T) {
	t.Parallel()
	l := newLab(t, true, members[:2]...)
	l.prober()
	r := l.rogue()
	epoch := r.steal()
	r.put("later/"+r.cloud.FP.String(), []byte(`{"a":1}`), 0)
	r.put("members/rogue", []byte(`{"host":"h","version":"99.0.0","later":{"a":[1]},"fps":""}`), r.lease)
	r.put(r.rowKey(), fmt.Appendf(nil, `{"epoch":%d,"by":"rogue","state":"DREAMING","reason":"asleep","probes":1}`, epoch), 0)
	for _, d := range l.alive() {
		began := time.Now()
		out, code := d.ctl("refresh", "cloud", "--wait", "--timeout", "10s")
		if code != 0 || l.vendor.since(began)[d.host.address] == 0 || d.row("cloud").State != "RUNNING" {
			t.Errorf("%s: refresh: exit code %d, %+v\n%s", d.name, code, d.row("cloud"), out)
		}
	}
	r.lie(wire.Row{Epoch: epoch, Reason: provider.Unauthorized, Probes: 2, Extra: map[string]json.RawMessage{"later": json.RawMessage(`{"a":[1]}`)}})
	for _, d := range l.alive() {
		eventually(t, d.name+" read the row", func() bool { prober, _ := d.turn("cloud"); return prober == "rogue" && d.mode() == "ok" })
	}
	r.leave()
	holder := l.prober()
	eventually(t, "a row of this version with the unknown field", func() bool {
		row, err := r.client.Get(r.ctx, prefix+r.rowKey())
		must(t, err)
		var is struct {
			By    string
			Later struct{ A []int }
		}
		must(t, json.Unmarshal(row.Kvs[0].Value, &is))
		return is.By == holder.name && len(is.Later.A) == 1
	})
	other, err := r.client.Get(r.ctx, prefix+"later/"+r.cloud.FP.String())
	if must(t, err); len(other.Kvs) != 1 {
		t.Error("a key of a later version is gone")
	}
	l.knows("the truth", func(r row) bool { return r.State == "RUNNING" })
}
