package daemon

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// Promise 6, through the socket: while servers of every kind send without end, drip, or send
// nothing, a healthy one is probed on request, and found to be healthy.
func TestPromise6_HostileServersDelayNobody(t *testing.T) {
	flush := func(w http.ResponseWriter, text string) error {
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
		return http.NewResponseController(w).Flush()
	}
	lots := strings.Repeat(" ", 1<<16)
	hostile := []http.HandlerFunc{
		func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil && flush(w, lots) == nil {
			}
		},
		func(w http.ResponseWriter, r *http.Request) {
			for flush(w, " ") == nil {
				select {
				case <-time.After(time.Second):
				case <-r.Context().Done():
					return
				}
			}
		},
		func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	}
	var servers []string
	for _, h := range hostile {
		s := httptest.NewServer(h)
		t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
		servers = append(servers, s.URL)
	}
	well := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "well") }))
	t.Cleanup(well.Close)

	text := httpProvider("well", well.URL)
	others := 0
	for _, k := range probe.Kinds() {
		if k.Schemes != nil && !slices.Contains(k.Schemes, "http") {
			continue
		}
		for i, url := range servers {
			others++
			text += fmt.Sprintf("[[provider]]\nid = \"%s:%d\"\nkind = %q\nbase_url = %q\ntimeout = \"1s\"\n", k.Name, i, k.Name, url)
			if k.KeyNeeded {
				text += "api_key_env = \"A_KEY\"\n"
			}
		}
	}
	r := runDaemon(t, text, map[string]string{"A_KEY": "test-key-of-nobody"})
	if others < 30 {
		t.Fatalf("only %d others", others)
	}
	for range 3 {
		r.call("POST", "/api/providers/refresh", nil)
		var reply provider.RefreshReply
		if status, body := r.call("POST", "/api/providers/refresh?provider_id=well&wait=5m", &reply); status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		if row := reply.Providers[0]; row.State != provider.StateRunning || row.Reason != provider.OK || row.Generation < reply.Generation {
			t.Errorf("the one that is well is %s %s: %s", row.State, row.Reason, row.Detail)
		}
	}
	var all provider.StatusReply
	r.call("GET", "/api/providers/status", &all)
	for _, row := range all.Providers {
		if row.ID != "well" && row.State == provider.StateRunning && !strings.HasPrefix(row.ID, "http:") {
			t.Errorf("%s is %s %s: %s", row.ID, row.State, row.Reason, row.Detail)
		}
	}
}
