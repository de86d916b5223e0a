package probe

import (
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

func TestOllamaHost(t *testing.T) {
	for value, want := range map[string]string{
		"":                        "",
		"  ":                      "",
		"127.0.0.1":               "http://127.0.0.1:11434",
		"gpu-box":                 "http://gpu-box:11434",
		"gpu-box:8000":            "http://gpu-box:8000",
		`"gpu-box:8000"`:          "http://gpu-box:8000",
		" 'gpu-box' ":             "http://gpu-box:11434",
		":8000":                   "http://127.0.0.1:8000",
		"::1":                     "http://[::1]:11434",
		"[::1]":                   "http://[::1]:11434",
		"[::1]:8000":              "http://[::1]:8000",
		"0.0.0.0":                 "http://127.0.0.1:11434",
		"0.0.0.0:8000":            "http://127.0.0.1:8000",
		"::":                      "http://[::1]:11434",
		"[::]:8000":               "http://[::1]:8000",
		"http://gpu-box":          "http://gpu-box:80",
		"https://gpu-box":         "https://gpu-box:443",
		"https://gpu-box:8443":    "https://gpu-box:8443",
		"http://0.0.0.0:11434":    "http://127.0.0.1:11434",
		"https://gpu-box/ollama":  "https://gpu-box:443/ollama",
		"https://gpu-box:1/a/b/":  "https://gpu-box:1/a/b/",
		"gpu-box:66000":           "http://gpu-box:11434",
		"http://gpu-box:nonsense": "http://gpu-box:80",
		"ollama.com":              "https://ollama.com:443",
	} {
		got, err := ollamaHost(func(string) string { return value })
		if err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", value, got, err, want)
		}
	}
	for _, value := range []string{"unix:///run/ollama.sock", "gpu box"} {
		if got, err := ollamaHost(func(string) string { return value }); err == nil {
			t.Errorf("%q: got %q, want an error", value, got)
		}
	}
}

// FuzzOllamaHost: every value is refused, or makes a URL that can be dialled.
func FuzzOllamaHost(f *testing.F) {
	for _, v := range []string{"", "127.0.0.1", ":8000", "::", "[::]:1", "http://x/y", "https://x:99999", "x y", "a://b", "%", "[", "\x00", "ollama.com"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, err := ollamaHost(func(string) string { return value })
		if err != nil || got == "" {
			return
		}
		u, err := url.Parse(got)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" {
			t.Fatalf("%q: %q, %v", value, got, err)
		}
		if ip := net.ParseIP(u.Hostname()); u.Port() == "" || ip != nil && ip.IsUnspecified() {
			t.Fatalf("%q: %q cannot be dialled", value, got)
		}
	})
}

func TestLlamaAddress(t *testing.T) {
	type vars map[string]string
	tests := []struct {
		env  vars
		want string
		bad  bool
	}{
		{env: vars{}, want: ""},
		{env: vars{"LLAMA_ARG_PORT": "9931"}, want: "http://127.0.0.1:9931"},
		{env: vars{"LLAMA_ARG_HOST": "0.0.0.0"}, want: "http://127.0.0.1:8080"},
		{env: vars{"LLAMA_ARG_HOST": "::", "LLAMA_ARG_PORT": "1"}, want: "http://[::1]:1"},
		{env: vars{"LLAMA_ARG_HOST": "/run/llama.sock"}, want: "unix:///run/llama.sock"},
		{env: vars{"LLAMA_ARG_HOST": "llama.sock"}, bad: true},
		{env: vars{"LLAMA_ARG_PORT": "http"}, bad: true},
		{env: vars{"LLAMA_ARG_PORT": "0"}, bad: true},
		{env: vars{"LLAMA_ARG_HOST": "gpu", "LLAMA_ARG_API_PREFIX": "/ai"}, want: "http://gpu:8080/ai"},
		{env: vars{"LLAMA_ARG_HOST": "gpu", "LLAMA_ARG_SSL_KEY_FILE": "k", "LLAMA_ARG_SSL_CERT_FILE": "c"}, want: "https://gpu:8080"},
	}
	for _, tt := range tests {
		got, err := llamaAddress(func(name string) string { return tt.env[name] })
		if got != tt.want || (err != nil) != tt.bad {
			t.Errorf("%v: got %q, %v, want %q", tt.env, got, err, tt.want)
		}
	}
}

// Odd values that Ollama accepts as a host are reported, and read as Ollama reads them.
func TestOddOllamaHost(t *testing.T) {
	for value, want := range map[string]struct{ read, odd string }{
		"0.0.0.0：8157":                {"http://0.0.0.0%EF%BC%9A8157:11434", "contains full-width characters: set it to 0.0.0.0:8157"},
		"１２７.0.0.1:11434":             {"", "set it to 127.0.0.1:11434"},
		"http://gpu：8157":             {"", "set it to http://gpu:8157"},
		`C:\Users\123\ollama app.exe`: {"http://C:11434", "is the path of a file"},
		`C:/Program/ollama.exe`:       {"", "is the path of a file"},
		"/usr/bin/ollama":             {"", "is the path of a file"},
		"11434":                       {"http://11434:11434", "is a number alone, which is taken for a host name: set it to 127.0.0.1:11434"},
		"*:11434":                     {"http://*:11434", "set it to 0.0.0.0:11434"},
		"*":                           {"http://*:11434", "set it to 0.0.0.0:11434"},
		"http://*:8000":               {"http://*:8000", "set it to http://0.0.0.0:8000"},
		"gpu:66000":                   {"http://gpu:11434", "has an invalid port"},
		"gpu:http":                    {"", "has an invalid port"},
		"http://gpu":                  {"http://gpu:80", "which means port 80: set it to http://gpu:11434"},
		"https://127.0.0.1:11434":     {"https://127.0.0.1:11434", "does not speak"},
		"127.0.0.1:11434,10.0.0.1":    {"", "more than one word"},
		"http:/gpu:8000":              {"http://http:11434/gpu:8000", "a mistyped or doubled scheme, which is taken for a host name: set it to gpu:8000"},
		"http://http://gpu:8000":      {"", "set it to http://gpu:8000"},
		"http://gpu:8000/v1?key=kept": {"", "more than a host, a port and a path"},
		"gpu/#kept":                   {"", "more than a host, a port and a path"},
		"gpu/v1 kept":                 {"", "more than one word"},
		"http://":                     {"http://127.0.0.1:80", "such as 127.0.0.1:11434"},

		"0.0.0.0": {"http://127.0.0.1:11434", ""}, "[::]": {"http://[::1]:11434", ""}, "::": {"http://[::1]:11434", ""}, "[::]:8000": {"http://[::1]:8000", ""},
		`"127.0.0.1:11434"`: {"http://127.0.0.1:11434", ""}, "gpu-box": {"http://gpu-box:11434", ""}, ":8000": {"http://127.0.0.1:8000", ""},
		"https://gpu.example.net/ollama": {"https://gpu.example.net:443/ollama", ""}, "ollama.com": {"https://ollama.com:443", ""}, "": {"", ""},
		"http://gpu:11434/": {"http://gpu:11434", ""}, "HTTP://gpu": {"http://gpu:11434", ""}, `" gpu "`: {"http://gpu:11434", ""},
	} {
		env := func(name string) string {
			if name == "OLLAMA_HOST" {
				return value
			}
			return ""
		}
		if odd := oddOllamaHost(env); !strings.Contains(odd, want.odd) || (odd == "") != (want.odd == "") {
			t.Errorf("%q: said %q, want %q", value, odd, want.odd)
		}
		cfg, err := config.Load("/none", false, Kinds(), config.Env{Getenv: env})
		if err != nil {
			t.Fatal(err)
		}
		p := cfg.Providers[0]
		if strings.Contains(p.Endpoint+p.AddressFault+strings.Join(cfg.Warnings, ""), "kept") {
			t.Errorf("%q: shown is %s %s %q", value, p.Endpoint, p.AddressFault, cfg.Warnings)
		}
		if read, _ := ollamaHost(env); want.read != "" && read != want.read {
			t.Errorf("%q: read as %s, want %s", value, read, want.read)
		}
		if hint := p.Hints[provider.DNSFailure]; p.AddressFault == "" && (hint == "") != (want.odd == "") || len(cfg.Warnings) == 0 && want.odd != "" {
			t.Errorf("%q: hint %q, warnings %q", value, hint, cfg.Warnings)
		}
	}
}
