package daemon

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// A reload reads the files as they are now. If one of them cannot be used it changes nothing, and
// says which.
func TestReload_FilesOfCertificates(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	path := filepath.Join(t.TempDir(), "ca.pem")
	write := func(data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(own)
	r := runDaemon(t, "[[provider]]\nid = \"a\"\nkind = \"http\"\nbase_url = \""+server.URL+"\"\nca_file = '"+path+"'\n", nil)
	state := func(want provider.State) {
		t.Helper()
		var row provider.Status
		r.until(func() bool {
			r.call("GET", "/api/providers/a", &row)
			return row.State == want
		})
	}
	state(provider.StateRunning)
	var reload provider.ReloadReply
	if r.call("POST", "/api/daemon/reload", &reload); reload.Unchanged != 1 {
		t.Errorf("with the same file: %+v", reload)
	}
	write(append(slices.Clone(own), own...))
	if r.call("POST", "/api/daemon/reload", &reload); !slices.Equal(reload.Changed, []string{"a"}) {
		t.Errorf("with another: %+v", reload)
	}
	write([]byte("no certificate\n"))
	code, body := r.call("POST", "/api/daemon/reload", nil)
	if code != http.StatusUnprocessableEntity || !strings.Contains(body, "c.toml:5:11: ca_file") || !strings.Contains(body, "contains no PEM") {
		t.Errorf("with a bad one: %d %s", code, body)
	}
	state(provider.StateRunning)
}
