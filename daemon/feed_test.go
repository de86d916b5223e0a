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

// A vendor's status feed is followed from the configuration to the row: without the
// provider's key, and only while it is configured.
func TestDaemon_FollowsAStatusFeed(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer test-key" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		fmt.Fprint(w, `{"object":"list","data":[{"id":"m","object":"model"}]}`)
	}))
	t.Cleanup(api.Close)
	var mu sync.Mutex
	var asked []http.Header
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.Header)
		fmt.Fprint(w, `{"components":[{"name":"API","status":"partial_outage"},{"name":"Chat","status":"operational"}]}`)
	}))
	t.Cleanup(vendor.Close)

	entry := fmt.Sprintf("[[provider]]\nid = \"a\"\nkind = \"openai\"\nbase_url = %q\n", api.URL)
	feed := fmt.Sprintf("status_feed = { url = %q, format = \"statuspage\", components = [\"API\"] }\n", vendor.URL)
	r := runDaemon(t, entry+feed, map[string]string{"OPENAI_API_KEY": "test-key"})
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
	mu.Lock()
	headers := slices.Clone(asked)
	mu.Unlock()
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
	r.rewrite(entry + feed)
	r.call("POST", "/api/daemon/reload", nil)
	r.until(func() bool { return row().Reason == provider.VendorIncident })
	if strings.Contains(r.log.String(), "test-key") {
		t.Error("the key is in the log")
	}
}
