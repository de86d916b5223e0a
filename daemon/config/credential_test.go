package config_test

import (
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// The packaged service does not see a key that a reload brings: whoever is told to put
// one into the folder is told of the restart too.
func TestParse_WhereTheServiceWantsItsKey(t *testing.T) {
	const folder, restart = "/etc/providerd/credentials/", "then: sudo systemctl restart providerd"
	for _, c := range []struct {
		name, file string
		vars       map[string]string
		system     bool
		want       []string
	}{
		{"Named", "[[provider]]\nid = \"groq:team\"\nkind = \"groq\"\n", map[string]string{"CREDENTIALS_DIRECTORY": "/run/c"}, true,
			[]string{"write the key into " + folder + "groq-team", "give groq:team api_key_file = \"key_groq-team\" in f", restart}},
		{"ByAVariable", "[[provider]]\nid = \"a\"\nkind = \"groq\"\napi_key_env = \"TEAM_KEY\"\n", map[string]string{"CREDENTIALS_DIRECTORY": "/run/c"}, true,
			[]string{"set TEAM_KEY in /etc/providerd/environment", restart}},
		{"AVariableIsEmpty", "[[provider]]\nid = \"groq\"\nkind = \"groq\"\n", map[string]string{"CREDENTIALS_DIRECTORY": "/run/c", "GROQ_API_KEY": " "}, true,
			[]string{"write the key into " + folder + "groq,", restart}},
		{"OfAPerson", "[[provider]]\nid = \"a\"\nkind = \"groq\"\n", map[string]string{"CREDENTIALS_DIRECTORY": "/run/c"}, false, nil},
		{"WithoutSystemd", "[[provider]]\nid = \"a\"\nkind = \"groq\"\n", nil, true, nil},
		{"ThereIsOne", "[[provider]]\nid = \"a\"\nkind = \"groq\"\n", map[string]string{"CREDENTIALS_DIRECTORY": "/run/c", "GROQ_API_KEY": "k"}, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := env(c.vars, nil)
			e.System = c.system
			e.LookupEnv = func(name string) (string, bool) { v, ok := c.vars[name]; return v, ok }
			cfg, err := config.Parse("f", []byte(c.file), kinds(), e)
			if err != nil {
				t.Fatal(err)
			}
			hint := cfg.Providers[0].Hints[provider.NoCredentials]
			for _, want := range c.want {
				if !strings.Contains(hint, want) {
					t.Errorf("the hint %q lacks %q", hint, want)
				}
			}
			if c.want == nil && strings.Contains(hint, "systemctl") {
				t.Errorf("the hint is %q", hint)
			}
		})
	}
}

// The names of some vendors' variables begin as their keys do. A key where its variable's
// name belongs is refused, and not repeated.
func TestParse_NamesOfVariablesAndKeys(t *testing.T) {
	for name, good := range map[string]bool{
		"HF_TOKEN": true, "XAI_TEAM_KEY": true, "FW_KEY_2": true, "OPENAI_API_KEY": true,
		"hf_abcdefgh": false, "sk_test_of_nobody": false, "Xai_Team_Key": false,
	} {
		_, err := config.Parse("f", []byte("[[provider]]\nid = \"a\"\nkind = \"groq\"\napi_key_env = \""+name+"\"\n"), kinds(), env(nil, nil))
		if good != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), name) {
			t.Errorf("%s is repeated: %v", name, err)
		}
	}
}
