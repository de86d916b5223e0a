package probe_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/probe"
)

// Sharing changes nothing: no request carries another Prober's key, and no evidence shows
// another's answer.
func TestCommon_TellsProbersApart(t *testing.T) {
	common := new(probe.Common)
	for i := range 40 { // more than fit into a Common
		version, key, want := fmt.Sprintf("1.%d", i), "", ""
		if i%3 == 1 {
			key, want = fmt.Sprintf("key-of-nobody-%d", i), fmt.Sprintf("Bearer key-of-nobody-%d", i)
		}
		s := serve(t, site(map[string]page{"/api/version": {
			headers: map[string]string{"Content-Type": "application/json", "Server": "server-" + version},
			body:    fmt.Sprintf(`{"version":%q}`, version),
		}}, page{status: http.StatusNotFound}))
		pr := newProber(t, configured(t, "ollama", s.url, key), probe.Options{Common: common})
		for range 2 {
			o := pr.Probe(t.Context(), probe.Ask{Facts: true})
			if o.Facts.Version != version {
				t.Errorf("version %q, want %q", o.Facts.Version, version)
			}
			x := o.Evidence.Requests[0]
			if wanted := fmt.Sprintf(`{"version":%q}`, version); x.BodyStart != wanted {
				t.Errorf("the answer begins %s, want %s", x.BodyStart, wanted)
			}
			if diff := cmp.Diff(map[string]string{"content-type": "application/json", "server": "server-" + version}, x.Headers); diff != "" {
				t.Error(diff)
			}
		}
		for _, r := range s.seen {
			if got := r.Header.Get("Authorization"); got != want {
				t.Errorf("%s was asked with %q, want %q", r.URL, got, want)
			}
		}
	}
}
