package config_test

import (
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// TestLoad_KeyForms has what people have written instead of only the key. The error names its form,
// for files and variables, and never repeats it.
func TestLoad_KeyForms(t *testing.T) {
	const core = "Zq7pLEAK0wXy4"
	const (
		quoted   = "is in quotes"
		variable = "begins with a variable's name"
		json     = "is JSON"
		bearer   = "begins with the word Bearer"
		header   = "begins with the name of a header"
		labelled = "begins with its name"
		unset    = "is a variable or a command"
		refers   = "is a reference to a secret"
		file     = "is the path of a file"
		example  = "is a placeholder from an example"
	)
	for _, tt := range []struct {
		held string
		says string // "": nothing is wrong with it
		sent string // "": it cannot be
	}{
		{core, "", core},
		{"  " + core + "\r\n", "", core},
		{"\ufeff" + core + "\n", "", core},
		{"\u200b" + core + "\u00a0\u2060", "", core},
		{core + "==", "", core + "=="},
		{"ab/" + core + "+x=", "", "ab/" + core + "+x="},
		{`"` + core + `"`, quoted, `"` + core + `"`},
		{`'` + core + `'`, quoted, `'` + core + `'`},
		{"`" + core + "`", quoted, "`" + core + "`"},
		{`"` + core, quoted, `"` + core},
		{core + `"`, quoted, core + `"`},
		{"“" + core + "”", quoted, ""},
		{"OPENAI_API_KEY=" + core, variable, "OPENAI_API_KEY=" + core},
		{"export OPENAI_API_KEY=" + core, variable, ""},
		{"OPENAI_API_KEY = " + core, variable, ""},
		{`$env:OPENAI_API_KEY="` + core + `"`, variable, `$env:OPENAI_API_KEY="` + core + `"`},
		{`{"api_key":"` + core + `"}`, json, `{"api_key":"` + core + `"}`},
		{"{\n \"api_key\": \"" + core + "\"\n}", json, ""},
		{`["` + core + `"]`, json, `["` + core + `"]`},
		{"Bearer " + core, bearer, ""},
		{"bearer:" + core, bearer, "bearer:" + core},
		{"Authorization: Bearer " + core, header, ""},
		{"x-api-key:" + core, header, "x-api-key:" + core},
		{"api_key=" + core, labelled, "api_key=" + core},
		{"openai_api_key=" + core, labelled, "openai_api_key=" + core},
		{"key: " + core, labelled, ""},
		{"OpenAI-API-Key: " + core, labelled, ""},
		{"- api_key: '" + core + "'", labelled, ""},
		{"key:" + core, "", "key:" + core}, // some keys are in two parts
		{"token==", "", "token=="},
		{core + " " + core, "contains a blank", ""},
		{core + "\n" + core, "has more than one line", ""},
		{core + "\r" + core, "has more than one line", ""},
		{core + "\u200b" + core, "contains an invisible character", ""},
		{core + "\u00e9", "contains a non-ASCII character", ""},
		{core + "\x1b", "contains a control character", ""},
		{"s\x00k\x00", "may be saved as UTF-16", ""},
		{"$OPENAI_API_KEY", unset, "$OPENAI_API_KEY"},
		{"${OPENAI_API_KEY}", unset, "${OPENAI_API_KEY}"},
		{"%OPENAI_API_KEY%", unset, "%OPENAI_API_KEY%"},
		{"$(cat/run/key)", unset, "$(cat/run/key)"},
		{"{{secrets.KEY}}", unset, "{{secrets.KEY}}"},
		{"op://vault/openai/credential", refers, "op://vault/openai/credential"},
		{"vault:secret/data/openai#key", refers, "vault:secret/data/openai#key"},
		{"arn:aws:secretsmanager:eu-west-1:1:secret:x", refers, "arn:aws:secretsmanager:eu-west-1:1:secret:x"},
		{"/run/secrets/openai", file, "/run/secrets/openai"},
		{"~/.keys/openai", file, "~/.keys/openai"},
		{"your-api-key-here", example, "your-api-key-here"},
		{"YOUR_OPENAI_API_KEY", example, "YOUR_OPENAI_API_KEY"},
		{"<your-key>", example, "<your-key>"},
		{"sk-your-key", example, "sk-your-key"},
		{"sk-xxxxxxxxxxxx", example, "sk-xxxxxxxxxxxx"},
		{"sk-...", example, "sk-..."},
		{"changeme", example, "changeme"},
		{"change-me", example, "change-me"},
		{"none", example, "none"},
		{core + ",", "ends with a comma", core + ","},
		{core + `\n`, "ends with a line break in escaped form", core + `\n`},
		{"sk-" + core + "...Xy4", "is shortened", "sk-" + core + "...Xy4"},
		{"sk-" + core + "****Xy4", "is shortened", "sk-" + core + "****Xy4"},
		{core + " # of the team", "contains a blank", ""},
	} {
		t.Run(tt.held, func(t *testing.T) {
			loaded, err := config.Load("", false, kinds(), diskEnv(t.TempDir(), map[string]string{"GROQ_API_KEY": tt.held}))
			if err != nil {
				t.Fatal(err)
			}
			named := parse(t, "[[provider]]\nid = \"groq\"\nkind = \"groq\"\napi_key_file = \"/k\"", env(nil, map[string]string{"/k": tt.held}))
			for _, cfg := range []*config.Config{loaded, named} {
				p := cfg.Providers[len(cfg.Providers)-1]
				if p.ID != "groq" || p.Key.Reveal() != tt.sent {
					t.Errorf("%s: the key is %q, want %q", p.ID, p.Key.Reveal(), tt.sent)
				}
				said := strings.Join(cfg.Warnings, "\n")
				if err := cfg.FaultError(nil); err != nil {
					said += err.Error()
				}
				if hint := p.Hints[provider.Unauthorized]; !strings.Contains(said, tt.says) || (said == "") != (tt.says == "") || (hint == "") != (tt.says == "") {
					t.Errorf("said %q, hint %q; want %q", said, hint, tt.says)
				}
				if strings.Contains(said+p.KeyFault+p.Hints[provider.Unauthorized]+cfg.Show(), "LEAK") {
					t.Errorf("the key is repeated: %s\n%s", said, cfg.Show())
				}
			}
		})
	}
}

// A server of your own may accept any word as a key.
func TestParse_AnyWordForAServerOfOnesOwn(t *testing.T) {
	for _, key := range []string{"none", "EMPTY", "lm-studio", "ollama", "dummy", "sk-1234"} {
		cfg := parse(t, "[[provider]]\nid = \"a\"\nkind = \"lmstudio\"\napi_key_env = \"K\"", env(map[string]string{"K": key}, nil))
		if len(cfg.Warnings) > 0 {
			t.Errorf("%s: %q", key, cfg.Warnings)
		}
	}
}

// The warning about another vendor's key names that vendor. At an address of your own such a key
// may be right.
func TestLoad_AnothersKeyIsNotSent(t *testing.T) {
	kinds := []config.Kind{
		{Name: "whale", Type: provider.Cloud, BaseURL: "https://api.whale.test/v1", KeyEnv: []string{"WHALE_API_KEY"}, KeyNeeded: true,
			OwnKey: func(key string) bool { return strings.HasPrefix(key, "wh-") }},
		{Name: "otter", Type: provider.Cloud, BaseURL: "https://api.otter.test", KeyEnv: []string{"OTTER_API_KEY"}, KeyNeeded: true,
			OwnKey: func(key string) bool { return strings.HasPrefix(key, "wh-otter-") }},
		{Name: "plain", Type: provider.Cloud, BaseURL: "https://api.plain.test", KeyEnv: []string{"PLAIN_API_KEY"}, KeyNeeded: true},
		{Name: "public", Type: provider.Cloud, BaseURL: "https://api.public.test", KeyEnv: []string{"PUBLIC_API_KEY"}},
		{Name: "local", Type: provider.Local, BaseURL: "http://127.0.0.1:8000", KeyEnv: []string{"LOCAL_API_KEY"}},
	}
	const core = "Zq7pLEAK0wXy4"
	for _, tt := range []struct{ kind, base, key, to string }{
		{"whale", "", "wh-" + core, ""},
		{"whale", "", core, ""}, // an older one may have no mark
		{"otter", "", "wh-" + core, "otter"},
		{"otter", "https://API.otter.test:443/v2/", "wh-" + core, "otter"},
		{"plain", "", "wh-" + core, "plain"},
		{"public", "", "wh-" + core, "public"},
		{"local", "", "wh-" + core, ""},
		{"otter", "", "wh-otter-" + core, ""}, // its own, whoever else's it may be
		{"otter", "https://gateway.test", "wh-" + core, ""},
		{"otter", "https://api.whale.test", "wh-" + core, ""}, // it comes home
		{"local", "https://api.plain.test", "wh-" + core, "plain"},
	} {
		for _, setting := range []string{"", "api_key_env = \"K\"\n", "api_key_file = \"/k\"\n"} {
			t.Run(tt.kind+" "+tt.key[:4]+tt.base+setting, func(t *testing.T) {
				file := "autodetect = false\n[[provider]]\nid = \"p\"\nkind = \"" + tt.kind + "\"\n" + setting
				if tt.base != "" {
					file += "base_url = \"" + tt.base + "\"\n"
				}
				vars := map[string]string{"K": tt.key, strings.ToUpper(tt.kind) + "_API_KEY": tt.key}
				cfg, err := config.Parse("p.toml", []byte(file), kinds, env(vars, map[string]string{"/k": tt.key}))
				if err != nil {
					t.Fatal(err)
				}
				p := &cfg.Providers[0]
				if sent := !p.Key.IsZero(); sent != (tt.to == "") {
					t.Errorf("sent: %v", sent)
				}
				want := "the key is one for whale, and is not sent to " + tt.to
				if said := p.KeyFault + p.KeyDoubt; tt.to == "" && said != "" || tt.to != "" && !strings.HasSuffix(p.KeyFault, want) {
					t.Errorf("said %q, want %q", said, want)
				}
				hint := p.Hints[provider.NoCredentials]
				if end := map[bool]string{true: "write into it a key for " + tt.to + ", then: providerctl reload", false: " to a key for " + tt.to + ", then restart providerd"}[strings.Contains(setting, "file")]; tt.to != "" && !strings.HasSuffix(hint, end) {
					t.Errorf("hint %q, want %q", hint, end)
				}
				if strings.Contains(cfg.Show()+hint+strings.Join(cfg.Warnings, ""), "LEAK") {
					t.Error("the key is repeated")
				}
				// A file that names such a key is refused, as one of a key that cannot be sent
				// is; a variable that the file does not name only gets a warning.
				if refused := cfg.FaultError(nil) != nil; refused != (tt.to != "" && setting != "") {
					t.Errorf("refused: %v", refused)
				}
			})
		}
	}
}
