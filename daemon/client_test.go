package daemon

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/store/provider"
)

// Every row that the socket serves says how to configure clients for the provider, according
// to the current configuration.
func TestClient_OfEveryRow(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"version":"0.12.3","models":[]}`))
	}))
	t.Cleanup(s.Close)
	at, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	text := func(key string) string {
		return `
[[provider]]
id = "ollama"
kind = "ollama"
base_url = "http://localhost:` + at.Port() + `"
[[provider]]
id = "cloud"
kind = "openai"
base_url = "` + s.URL + `/v1"
` + key + `
[[provider]]
id = "socket"
kind = "llamacpp"
base_url = "unix:///nowhere/l.sock"
[[provider]]
id = "web"
kind = "http"
base_url = "` + s.URL + `"
`
	}
	r := startDaemon(t, text(`api_key_env = "WORK_KEY"`), nil, nil)
	want := map[string]*provider.Client{
		"ollama": {OpenAIBaseURL: s.URL + "/v1", Env: "OLLAMA_HOST"}, // the address that answered
		"cloud":  {OpenAIBaseURL: s.URL + "/v1", Env: "OPENAI_BASE_URL", KeyEnv: "WORK_KEY"},
		"socket": {KeyEnv: "LLAMA_API_KEY"},
		"web":    nil,
	}
	check := func(where string, rows []provider.Status) {
		t.Helper()
		got := map[string]*provider.Client{}
		for _, row := range rows {
			got[row.ID] = row.Client
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", where, diff)
		}
	}
	r.awaitSweep()
	var refreshed provider.RefreshReply
	r.call("POST", "/api/providers/refresh?wait=30s", &refreshed)
	check("refresh", refreshed.Providers)
	var status provider.StatusReply
	r.call("GET", "/api/providers/status", &status)
	check("status", status.Providers)
	var one provider.Status
	r.call("GET", "/api/providers/cloud", &one)
	if diff := cmp.Diff(want["cloud"], one.Client); diff != "" {
		t.Error(diff)
	}

	r.rewrite(text(""))
	if code, body := r.call("POST", "/api/daemon/reload", nil); code != 200 {
		t.Fatal(body)
	}
	want["cloud"] = &provider.Client{OpenAIBaseURL: s.URL + "/v1", Env: "OPENAI_BASE_URL", KeyEnv: "OPENAI_API_KEY"}
	var after provider.StatusReply
	r.call("GET", "/api/providers/status", &after)
	check("reloaded", after.Providers)
}
