package config_test

import (
	"cmp"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// kinds is a small table like the real one, which this package may not import.
func kinds() []config.Kind {
	return []config.Kind{
		{Name: "ollama", Type: provider.Local, BaseURL: "http://127.0.0.1:11434", AddrEnv: "OLLAMA_HOST", ReadAddr: ollamaHost,
			OpenAI: "/v1", Schemes: []string{"http", "https", "unix"}, Default: true,
			Hints: provider.Hints{provider.ConnectionRefused: "start it: ollama serve"}},
		{Name: "lmstudio", Type: provider.Local, BaseURL: "http://127.0.0.1:1234", Default: true},
		{Name: "llamacpp", Type: provider.Local, BaseURL: "http://127.0.0.1:8080", Default: true},
		{Name: "groq", Type: provider.Cloud, BaseURL: "https://api.groq.com/openai/v1", OpenAI: "/", KeyEnv: []string{"GROQ_API_KEY"}, KeyNeeded: true,
			Feed: config.Feed{URL: "https://groqstatus.com/api/v2/summary.json", Format: config.Statuspage, Components: []string{"API"}}},
		{Name: "openai", Type: provider.Cloud, BaseURL: "https://api.openai.com/v1", OpenAI: "/", KeyEnv: []string{"OPENAI_API_KEY"}, KeyNeeded: true, Default: true},
		{Name: "anthropic", Type: provider.Cloud, BaseURL: "https://api.anthropic.com", AddrEnv: "ANTHROPIC_BASE_URL", OpenAI: "/v1", KeyEnv: []string{"ANTHROPIC_API_KEY"}, KeyNeeded: true, Default: true},
		{Name: "gemini", Type: provider.Cloud, BaseURL: "https://generativelanguage.googleapis.com/v1beta", OpenAI: "/v1beta/openai", KeyEnv: []string{"GEMINI_API_KEY", "GOOGLE_API_KEY"}, KeyNeeded: true},
		{Name: "azure-openai", Type: provider.Cloud, KeyEnv: []string{"AZURE_OPENAI_API_KEY"}, KeyNeeded: true},
		{Name: "cohere", Type: provider.Cloud, BaseURL: "https://api.cohere.com/v1", KeyEnv: []string{"COHERE_API_KEY"}, KeyNeeded: true, Interval: 2 * time.Hour},
		{Name: "openai-compatible", Type: provider.Local, OpenAI: "/"},
		{Name: "http", Type: provider.Generic, Settings: []string{"expect_status", "expect_body", "expect_json"}, Check: checkHTTP},
		{Name: "tcp", Type: provider.Generic, Schemes: []string{"tcp", "unix"}, Check: refuse13},
		{Name: "tls", Type: provider.Generic, Schemes: []string{"tls"}, Settings: []string{"expect_days"}, Example: "tls://example.org:443"},
		{Name: "dns", Type: provider.Generic, Schemes: []string{"dns"}, Settings: []string{"expect_answer"}, Example: "dns://127.0.0.1/example.org?type=A", Port: "53", Path: true, Query: true},
		{Name: "grpc", Type: provider.Generic, Schemes: []string{"grpc", "grpcs"}, Example: "grpc://127.0.0.1:50051", Path: true},
		{Name: "exec", Type: provider.Generic, Schemes: []string{"exec"}, Settings: []string{"command"},
			Address: func(p *config.Provider) string { return "exec:" + strings.Join(p.Command[:min(1, len(p.Command))], "") }},
		{Name: "systemd", Type: provider.Generic, Schemes: []string{"systemd"}, Settings: []string{"unit", "bus"},
			Address: func(p *config.Provider) string { return "systemd://" + cmp.Or(p.Bus, "system") + "/" + p.Unit }},
	}
}

// ollamaHost reads a bare host with a port, and URLs.
func ollamaHost(getenv func(string) string) (string, error) {
	host := getenv("OLLAMA_HOST")
	switch {
	case host == "":
		return "", nil
	case strings.HasSuffix(host, ":"):
		return "", errors.New("OLLAMA_HOST: " + host + " has no port")
	case strings.Contains(host, "://"):
		return host, nil
	}
	return "http://" + host, nil
}

// checkHTTP stands for a syntax check of JSONPath.
func checkHTTP(p *config.Provider) error {
	for path := range p.Expect.JSON {
		if strings.Contains(path, "[[") {
			return &config.SettingError{Setting: "expect_json", Problem: "not JSONPath: " + path, Fix: `expect_json = { "$.status" = "ok" }`}
		}
	}
	return nil
}

// refuse13 fails without naming a setting.
func refuse13(p *config.Provider) error {
	if strings.HasSuffix(p.BaseURL, ":13") {
		return errors.New("port 13 brings bad luck")
	}
	return nil
}

// env is an environment with only the given variables and files, of a user whose home is
// /home/ada.
func env(vars, files map[string]string) config.Env {
	return config.Env{
		Getenv: func(name string) string {
			if v, ok := vars[name]; ok || name != "HOME" {
				return v
			}
			return "/home/ada"
		},
		UID:     1000,
		TempDir: "/tmp",
		OS:      "linux",
		ReadFile: func(name string, _ int64) ([]byte, fs.FileMode, error) {
			data, ok := files[name]
			if !ok {
				return nil, 0, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
			}
			return []byte(data), 0o600, nil
		},
	}
}
