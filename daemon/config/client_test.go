package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/store/provider"
)

func TestParse_Client(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		vars map[string]string
		want *provider.Client
	}{
		"WithAVariable": {`kind = "ollama"`, nil,
			&provider.Client{OpenAIBaseURL: "http://127.0.0.1:11434/v1", Env: "OLLAMA_HOST"}},
		"AtTheAddressItself": {`kind = "openai"`, nil,
			&provider.Client{OpenAIBaseURL: "https://api.openai.com/v1", KeyEnv: "OPENAI_API_KEY"}},
		"BesideItsOwn": {`kind = "anthropic"`, nil,
			&provider.Client{OpenAIBaseURL: "https://api.anthropic.com/v1", Env: "ANTHROPIC_BASE_URL", KeyEnv: "ANTHROPIC_API_KEY"}},
		"AddressOfTheVariable": {`kind = "anthropic"`, map[string]string{"ANTHROPIC_BASE_URL": "https://gateway.example/a"},
			&provider.Client{OpenAIBaseURL: "https://gateway.example/a/v1", Env: "ANTHROPIC_BASE_URL", KeyEnv: "ANTHROPIC_API_KEY"}},
		"ThePathIsThereAlready": {"kind = \"anthropic\"\nbase_url = \"https://h/v1/\"", nil, // its own programs would put it twice
			&provider.Client{OpenAIBaseURL: "https://h/v1", KeyEnv: "ANTHROPIC_API_KEY"}},
		"HalfThePathIsThere": {"kind = \"gemini\"\nbase_url = \"https://h/v1beta\"", nil,
			&provider.Client{OpenAIBaseURL: "https://h/v1beta/openai", KeyEnv: "GEMINI_API_KEY"}},
		"NotTheUser": {"kind = \"openai-compatible\"\nbase_url = \"http://me:pass@h:1/v1\"", nil,
			&provider.Client{OpenAIBaseURL: "http://h:1/v1", Needs: []string{provider.NeedsPassword}}},
		"NotTheCertificate": {"kind = \"openai-compatible\"\nbase_url = \"https://h/v1\"\nclient_cert_file = \"/c\"\nclient_key_file = \"/c\"", nil,
			&provider.Client{OpenAIBaseURL: "https://h/v1", Needs: []string{provider.NeedsCertificate}}},
		"AGatewaysKeyInAFile": {"kind = \"openai\"\nbase_url = \"https://gateway.example/v1\"\napi_key_file = \"/k\"", nil, // OPENAI_API_KEY is OpenAI's
			&provider.Client{OpenAIBaseURL: "https://gateway.example/v1", KeyEnv: "OPENAI_API_KEY", KeyEnvGuessed: true, KeyInFile: true}},
		"TheVariableOfTheConfiguration": {"kind = \"openai-compatible\"\nbase_url = \"http://h/v1\"\napi_key_env = \"GATEWAY_KEY\"", nil,
			&provider.Client{OpenAIBaseURL: "http://h/v1", KeyEnv: "GATEWAY_KEY"}},
		"TheOneThatIsSet": {`kind = "gemini"`, map[string]string{"GOOGLE_API_KEY": "k"},
			&provider.Client{OpenAIBaseURL: "https://generativelanguage.googleapis.com/v1beta/openai", KeyEnv: "GOOGLE_API_KEY"}},
		"TheVendorsBesideAFile": {"kind = \"groq\"\napi_key_file = \"/k\"", nil,
			&provider.Client{OpenAIBaseURL: "https://api.groq.com/openai/v1", KeyEnv: "GROQ_API_KEY", KeyInFile: true}},
		"NoURLOfASocket":  {"kind = \"ollama\"\nbase_url = \"unix:///run/o.sock\"", nil, nil},
		"NothingOfOpenAI": {`kind = "lmstudio"`, nil, nil}, // as the table of these tests has it
		"NoModels":        {"kind = \"http\"\nbase_url = \"http://h\"\napi_key_env = \"K\"", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := parse(t, "[[provider]]\nid = \"a\"\n"+c.data, env(c.vars, map[string]string{"/k": "secret"})).Providers[0].Client
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The address that localhost resolved to follows the row; fixed addresses share their value.
func TestProvider_ClientAt(t *testing.T) {
	p := parse(t, "[[provider]]\nid = \"a\"\nkind = \"ollama\"\nbase_url = \"http://localhost:1/x\"", env(nil, nil)).Providers[0]
	want := &provider.Client{OpenAIBaseURL: "http://[::1]:1/x/v1", Env: "OLLAMA_HOST"}
	if diff := cmp.Diff(want, p.ClientAt("http://[::1]:1/x")); diff != "" {
		t.Error(diff)
	}
	if p.ClientAt(p.Endpoint) != p.Client || p.Client.OpenAIBaseURL != "http://localhost:1/x/v1" {
		t.Errorf("%+v", p.Client)
	}
	p = parse(t, "[[provider]]\nid = \"a\"\nkind = \"tcp\"\nbase_url = \"tcp://localhost:1\"", env(nil, nil)).Providers[0]
	if got := p.ClientAt("tcp://127.0.0.1:1"); got != nil {
		t.Errorf("%+v", got)
	}
}
