package sink

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// options are those of a user's own daemon.
func options() Options {
	return Options{
		Log: hclog.NewNullLogger(), UserAgent: "providerd/test", Env: config.Env{UID: 1000},
		Proxy: http.ProxyFromEnvironment,
	}
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "credential")
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func make1(t *testing.T, n config.Notify, o Options) Sink {
	t.Helper()
	if err := Check(&n); err != nil {
		t.Fatal(err)
	}
	s, err := New(n, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func deliver(t *testing.T, s Sink, n *provider.Notice) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := s.Deliver(ctx, n)
	if ctx.Err() != nil {
		t.Error("the delivery took all of its time")
	}
	return err
}

// A request is one that a fake receiver got.
type request struct {
	method, path, query string
	header              http.Header
	body                []byte
}

// A fake is a receiver that answers in a given way.
type fake struct {
	*httptest.Server
	mu  sync.Mutex
	got []request
}

func newFake(t *testing.T, answer http.HandlerFunc) *fake {
	f := &fake{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		f.mu.Lock()
		f.got = append(f.got, request{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header, body})
		f.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fake) one(t *testing.T) request {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.got) != 1 {
		t.Fatalf("%d requests, want 1", len(f.got))
	}
	return f.got[0]
}

func ollamaDown() *provider.Notice {
	return opened("ollama", provider.StateStopped, provider.ConnectionRefused, "connection refused", "start it: ollama serve")
}

func isRefused(err error) bool { return errors.As(err, new(*RefusedError)) }

// Each kind that the configuration knows can be delivered, and no others.
func TestKinds(t *testing.T) {
	ours := map[string]bool{"webhook": true, "exec": true, "desktop": true}
	for i := range services {
		ours[services[i].name] = true
	}
	for _, k := range config.NotifyKinds {
		if !ours[k.Name] {
			t.Errorf("kind %s cannot be delivered", k.Name)
		}
		delete(ours, k.Name)
	}
	for name := range ours {
		t.Errorf("the configuration does not know kind %s", name)
	}
}

func TestNew_Settings(t *testing.T) {
	bare := file(t, "https://api.telegram.org")
	for name, tt := range map[string]struct {
		n       config.Notify
		setting string
	}{
		"no such kind":             {config.Notify{Kind: "pigeon", URL: "https://x"}, "kind"},
		"no address":               {config.Notify{Kind: "webhook"}, "url"},
		"no scheme":                {config.Notify{Kind: "webhook", URL: "example.com/x"}, "url"},
		"another scheme":           {config.Notify{Kind: "slack", URL: "ftp://example.com/x"}, "url"},
		"no topic":                 {config.Notify{Kind: "ntfy", URL: "https://ntfy.sh/"}, "url"},
		"no chat":                  {config.Notify{Kind: "telegram", URLFile: bare}, "url_file"},
		"no file":                  {config.Notify{Kind: "webhook", URL: "https://x", TokenFile: "/nonexistent/token"}, "token_file"},
		"empty file":               {config.Notify{Kind: "webhook", URL: "https://x", SecretFile: file(t, " ")}, "secret_file"},
		"two lines":                {config.Notify{Kind: "webhook", URLFile: file(t, "https://x\nhttps://y")}, "url_file"},
		"no base64":                {config.Notify{Kind: "webhook", URL: "https://x", SecretFile: file(t, "whsec_%%%")}, "secret_file"},
		"token in clear":           {config.Notify{Kind: "ntfy", URL: "http://ntfy.example/t", TokenFile: file(t, "tk_1")}, "token_file"},
		"token in clear to a LAN":  {config.Notify{Kind: "gotify", URL: "http://192.0.2.5", TokenFile: file(t, "tk_1")}, "token_file"},
		"secret address in clear":  {config.Notify{Kind: "webhook", URLFile: file(t, "http://hooks.example/s3cr3t")}, "url_file"},
		"password in clear":        {config.Notify{Kind: "webhook", URL: "http://a:b@hooks.example/"}, "url"},
		"no command":               {config.Notify{Kind: "exec"}, "command"},
		"relative command":         {config.Notify{Kind: "exec", Command: []string{"tell-me"}}, "command"},
		"no such program":          {config.Notify{Kind: "exec", Command: []string{"/nonexistent/tell-me"}}, "command"},
		"template":                 {config.Notify{Kind: "webhook", URL: "https://x", Title: "{{"}, "title"},
		"desktop without a person": {config.Notify{Kind: "desktop"}, "kind"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			o.Env.System = tt.setting == "kind"
			_, err := New(tt.n, o)
			wrong := (*config.SettingError)(nil)
			if !errors.As(err, &wrong) || wrong.Setting != tt.setting {
				t.Errorf("%v, want one about %s", err, tt.setting)
			}
		})
	}
}
