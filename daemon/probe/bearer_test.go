package probe_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// An Anthropic key is sent as its variable says, like in Anthropic's own libraries. A key
// from elsewhere may be either, so a gateway gets it both ways.
func TestProbe_AnthropicTokens(t *testing.T) {
	const key, token = "test-key-of-nobody", "test-token-of-nobody"
	const list = `{"data":[{"type":"model","id":"m"}],"has_more":false}`
	for _, tt := range []struct {
		name             string
		env              map[string]string
		file             string // instead of no file
		apiKey, bearer   string // that arrive
		shown, warns     string
		keyEnvOfClients  string
		hintWhenRejected string
	}{
		{"Key", map[string]string{"ANTHROPIC_API_KEY": key}, "", key, "", "env ANTHROPIC_API_KEY", "", "ANTHROPIC_API_KEY", "set ANTHROPIC_AUTH_TOKEN instead of ANTHROPIC_API_KEY"},
		{"Token", map[string]string{"ANTHROPIC_AUTH_TOKEN": token}, "", "", token, "env ANTHROPIC_AUTH_TOKEN", "", "ANTHROPIC_AUTH_TOKEN", "set ANTHROPIC_API_KEY instead of ANTHROPIC_AUTH_TOKEN"},
		{"Both", map[string]string{"ANTHROPIC_AUTH_TOKEN": token, "ANTHROPIC_API_KEY": key}, "", "", token, "env ANTHROPIC_AUTH_TOKEN", "are both set: ANTHROPIC_AUTH_TOKEN is used", "ANTHROPIC_AUTH_TOKEN", "set ANTHROPIC_API_KEY"},
		{"NamedToken", map[string]string{"ANTHROPIC_AUTH_TOKEN": token}, "api_key_env = \"ANTHROPIC_AUTH_TOKEN\"", "", token, "env ANTHROPIC_AUTH_TOKEN", "", "ANTHROPIC_AUTH_TOKEN", "set ANTHROPIC_API_KEY"},
		{"NamedKey", map[string]string{"ANTHROPIC_AUTH_TOKEN": token, "ANTHROPIC_API_KEY": key}, "api_key_env = \"ANTHROPIC_API_KEY\"", key, "", "env ANTHROPIC_API_KEY", "", "ANTHROPIC_API_KEY", "set ANTHROPIC_AUTH_TOKEN"},
		{"AnotherVariable", map[string]string{"GATEWAY": key}, "api_key_env = \"GATEWAY\"", key, key, "env GATEWAY", "", "GATEWAY", "replace it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got http.Header
			rejects := false
			ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got = r.Header.Clone()
				if rejects {
					w.WriteHeader(http.StatusUnauthorized)
				}
				_, _ = w.Write([]byte(list))
			}))
			defer ts.Close()
			tt.env["ANTHROPIC_BASE_URL"] = ts.URL
			env := config.Env{Getenv: func(name string) string { return tt.env[name] }, UID: 1000, TempDir: t.TempDir()}
			cfg, err := config.Load("", false, probe.Kinds(), env)
			if tt.file != "" {
				cfg, err = config.Parse("f", []byte("[[provider]]\nid = \"anthropic\"\nkind = \"anthropic\"\n"+tt.file), probe.Kinds(), env)
			}
			if err != nil {
				t.Fatal(err)
			}
			var p *config.Provider
			for i := range cfg.Providers {
				if cfg.Providers[i].ID == "anthropic" {
					p = &cfg.Providers[i]
				}
			}
			warned := strings.Join(cfg.Warnings, "\n")
			if p.KeySource != tt.shown || !strings.Contains(warned, tt.warns) || (warned == "") != (tt.warns == "") || p.Client.KeyEnv != tt.keyEnvOfClients {
				t.Errorf("from %s, warnings %q, clients look in %s", p.KeySource, warned, p.Client.KeyEnv)
			}
			pr := newProber(t, *p, probe.Options{})
			defer pr.Close()
			if o := pr.Probe(t.Context(), probe.Ask{}); o.Saw != provider.OK {
				t.Errorf("%s: %s", o.Saw, o.Detail)
			}
			if got.Get("X-Api-Key") != tt.apiKey || strings.TrimPrefix(got.Get("Authorization"), "Bearer ") != tt.bearer || got.Get("Anthropic-Version") == "" {
				t.Errorf("sent %q", got)
			}
			rejects = true
			o := pr.Probe(t.Context(), probe.Ask{})
			hint := provider.Hint(o.Saw, provider.Subject{Own: o.Hint, Hints: p.Hints, ID: p.ID})
			if o.Saw != provider.Unauthorized || !strings.Contains(hint, tt.hintWhenRejected) {
				t.Errorf("rejected: %s, hint %q", o.Saw, hint)
			}
		})
	}
}

// Anthropic itself gets a key as X-Api-Key, wherever it comes from.
func TestProbe_AnthropicItselfGetsAKey(t *testing.T) {
	var got http.Header
	ts := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Clone() }))
	defer ts.Close()
	for _, source := range []string{"file /k", "env GATEWAY"} {
		p := configured(t, "anthropic", "http://api.anthropic.com", "test-key-of-nobody")
		p.KeySource = source
		pr := newProber(t, p, probe.Options{
			Resolve: func(context.Context, string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
			},
			Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, ts.Listener.Addr().String())
			},
			Proxy: func(*http.Request) (*url.URL, error) { return nil, nil },
		})
		pr.Probe(t.Context(), probe.Ask{})
		pr.Close()
		if got.Get("X-Api-Key") != "test-key-of-nobody" || got.Get("Authorization") != "" {
			t.Errorf("%s: sent %q", source, got)
		}
	}
}
