package daemon

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// vendorPage is a status page that reports an outage of its API, until the page fails.
type vendorPage struct {
	*httptest.Server
	mu    sync.Mutex
	asked []http.Header
	fails bool
}

func newVendorPage(t *testing.T) *vendorPage {
	v := &vendorPage{}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.asked = append(v.asked, r.Header)
		if v.fails {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, `{"components":[{"name":"API","status":"partial_outage"},{"name":"Chat","status":"operational"}]}`)
	}))
	t.Cleanup(v.Close)
	return v
}

func (v *vendorPage) setting() string {
	return fmt.Sprintf("status_feed = { url = %q, format = \"statuspage\", components = [\"API\"] }\n", v.URL)
}

// An incident in the database stays while the feed cannot be read, so that a restart of the
// daemon does not end it.
func TestDaemon_AnIncidentOutlivesARestart(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(up.Close)
	vendor := newVendorPage(t)
	text := httpProvider("a", up.URL) + vendor.setting()
	r := runDaemon(t, text, nil)
	row := func() (st provider.Status) {
		r.call("GET", "/api/providers/a", &st)
		return st
	}
	r.until(func() bool { return row().Reason == provider.VendorIncident })
	r.stop()
	vendor.mu.Lock()
	vendor.fails = true
	vendor.mu.Unlock()

	r = runDaemonIn(t, r.dir, text, nil)
	var d provider.Diagnostics
	r.until(func() bool {
		r.call("GET", "/api/providers/a/diagnostics", &d)
		return d.Feed != nil && d.Feed.Error != ""
	})
	if st := row(); st.Reason != provider.VendorIncident || st.Incident == nil || st.Source != provider.FromProbe {
		t.Errorf("%+v", st)
	}
}

// A vendor's status feed is followed, from the configuration to the row: without the provider's
// key, and only while it is configured.
func TestDaemon_FollowsAStatusFeed(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer test-key" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		fmt.Fprint(w, `{"object":"list","data":[{"id":"m","object":"model"}]}`)
	}))
	t.Cleanup(api.Close)
	vendor := newVendorPage(t)
	entry := fmt.Sprintf("[[provider]]\nid = \"a\"\nkind = \"openai\"\nbase_url = %q\n", api.URL)
	r := runDaemon(t, entry+vendor.setting(), map[string]string{"OPENAI_API_KEY": "test-key"})
	row := func() (st provider.Status) {
		r.call("GET", "/api/providers/a", &st)
		return st
	}
	r.until(func() bool { return row().Reason == provider.VendorIncident })
	st := row()
	if st.State != provider.StateDegraded || st.Incident == nil || st.Incident.Impact != provider.ImpactMajor || st.Incident.URL != vendor.URL+"/" {
		t.Errorf("%+v", st)
	}
	var d provider.Diagnostics
	r.call("GET", "/api/providers/a/diagnostics", &d)
	if d.Feed == nil || d.Feed.Status != 200 || len(d.Feed.Components) != 1 || d.Feed.Components[0].Word != "partial_outage" {
		t.Errorf("evidence %+v", d.Feed)
	}
	vendor.mu.Lock()
	headers := slices.Clone(vendor.asked)
	vendor.mu.Unlock()
	for _, h := range headers {
		if text := fmt.Sprint(h); strings.Contains(text, "test-key") || h.Get("Authorization") != "" {
			t.Errorf("the vendor's page was sent %s", text)
		}
	}

	r.rewrite(entry + "status_feed = false\n")
	if status, body := r.call("POST", "/api/daemon/reload", nil); status != http.StatusOK {
		t.Fatal(status, body)
	}
	r.until(func() bool { st := row(); return st.State == provider.StateRunning && st.Incident == nil })
	r.rewrite(entry + vendor.setting())
	r.call("POST", "/api/daemon/reload", nil)
	r.until(func() bool { return row().Reason == provider.VendorIncident })
	if strings.Contains(r.log.String(), "test-key") {
		t.Error("the key is in the log")
	}
}
