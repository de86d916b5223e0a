package daemon

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// row is the provider's row, as served by the socket.
func (r *running) row(id string) provider.Status {
	var reply provider.StatusReply
	r.call("GET", "/api/providers/status", &reply)
	for _, p := range reply.Providers {
		if p.ID == id {
			return p
		}
	}
	r.t.Errorf("no row of %s", id)
	return provider.Status{}
}

// A bad variable or a missing key file only affects its own provider.
func TestDaemon_StartsWithoutWhatOneProviderLacks(t *testing.T) {
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"object":"list","data":[{"id":"m"}]}`))
	}))
	defer ts.Close()
	secure := httptest.NewUnstartedServer(ts.Config.Handler)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	text := `autodetect = true
[[provider]]
id = "up"
kind = "openai-compatible"
base_url = "` + ts.URL + `/v1"
[[provider]]
id = "team"
kind = "groq"
base_url = "` + ts.URL + `"
api_key_file = "/absent/groq.key"
[[provider]]
id = "private"
kind = "openai-compatible"
base_url = "` + secure.URL + `/v1"
ca_file = "/absent/authority.pem"
`
	r := runDaemon(t, text, map[string]string{
		"OPENAI_API_KEY": "k\u200by", "OLLAMA_HOST": "unix:///run/ollama.sock", "ANTHROPIC_API_KEY": "two words",
	})
	// On a busy machine its first probe may take longer than the timeout of a local server.
	r.until(func() bool { return r.row("up").Reason == provider.OK })
	for id, want := range map[string]struct {
		reason       provider.Reason
		detail, hint string
	}{
		"up":        {provider.OK, "", ""},
		"team":      {provider.NoCredentials, `key file "/absent/groq.key"`, "create it, or correct the path, then: providerctl reload"},
		"private":   {provider.TLSFailure, "/absent/authority.pem", "correct the file or the setting"},
		"openai":    {provider.NoCredentials, "OPENAI_API_KEY: the key contains an invisible character", "set OPENAI_API_KEY to the key alone, then restart providerd"},
		"anthropic": {provider.NoCredentials, "ANTHROPIC_API_KEY: the key contains a blank", "then restart providerd"},
		"ollama":    {provider.Misconfigured, "OLLAMA_HOST", "correct or unset OLLAMA_HOST"},
	} {
		s := r.row(id)
		if s.Reason != want.reason || !strings.Contains(s.Detail, want.detail) || !strings.Contains(s.Hint, want.hint) {
			t.Errorf("%s: %s %q, hint %q", id, s.Reason, s.Detail, s.Hint)
		}
	}
	if log := r.log.String(); !strings.Contains(log, `"fix":"create it, or correct the path"`) {
		t.Errorf("the log does not say what is missing:\n%s", log)
	}
	reloadsAround(t, r, text)
}

// reloadsAround checks that a change is put in force although something is already missing,
// but not if something would be missing from now on.
func reloadsAround(t *testing.T, r *running, text string) {
	r.rewrite(text + "[daemon]\nlog_level = \"info\"\n")
	if status, body := r.call("POST", "/api/daemon/reload", nil); status != http.StatusOK {
		t.Errorf("a reload beside a fault that stands: %d %s", status, body)
	}
	more := text + "[[provider]]\nid = \"more\"\nkind = \"groq\"\napi_key_file = \"/absent/too\"\n"
	r.rewrite(more)
	if status, body := r.call("POST", "/api/daemon/reload", nil); status == http.StatusOK || !strings.Contains(body, "/absent/too") || strings.Contains(body, "groq.key") {
		t.Errorf("a reload with a fault of its own: %d %s", status, body)
	}
	key := filepath.Join(r.dir, "groq.key")
	if err := os.WriteFile(key, []byte("good\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.rewrite(strings.Replace(text, "/absent/groq.key", key, 1))
	if status, body := r.call("POST", "/api/daemon/reload", nil); status != http.StatusOK {
		t.Errorf("a reload that mends it: %d %s", status, body)
	}
	r.until(func() bool { return r.row("team").Reason == provider.OK })
	r.rewrite(text)
	if status, _ := r.call("POST", "/api/daemon/reload", nil); status == http.StatusOK {
		t.Error("a reload takes the key away from a provider that works")
	}
	if s := r.row("team"); s.Reason != provider.OK {
		t.Errorf("after that it is %s", s.Reason)
	}
}
