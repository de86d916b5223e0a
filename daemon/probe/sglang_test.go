package probe_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// The server's own keys, which it shows to everybody, are not kept.
func TestSGLang_ServersOwnKeys(t *testing.T) {
	t.Parallel()
	s := serve(t, site(map[string]page{
		"/v1/models":       {body: `{"object":"list","data":[{"id":"m","owned_by":"sglang"}]}`},
		"/get_server_info": {body: `{"admin_api_key":"admin-key-of-nobody","version":"0.5.5"}`},
	}, page{status: 404}))
	o := once(t, configured(t, "sglang", s.url, ""), probe.Options{}, probe.Ask{Facts: true})
	kept, err := json.Marshal(o)
	if err != nil || o.Saw != provider.OK || o.Facts.Version != "0.5.5" || strings.Contains(string(kept), "admin-key-of-nobody") {
		t.Errorf("kept %s: %v", kept, err)
	}
}
