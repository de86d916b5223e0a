package config_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/providerd/providerd/daemon/config"
)

const oneProvider = "[[provider]]\nid = \"a\"\nkind = \"openai\"\n"

// What changed is named as the file names it, also where the file is the same and what it
// names is not.
func TestProvider_ChangedSettings(t *testing.T) {
	vars := map[string]string{"TEAM": "one-key", "OPENAI_API_KEY": "another"}
	files := map[string]string{"/k": "one-key"}
	base := oneProvider
	for name, c := range map[string]struct {
		before, now string
		vars, files map[string]string
		want        []string
	}{
		"Nothing":        {base, base, vars, files, nil},
		"Interval":       {base, base + "interval = \"2m\"\n", vars, files, []string{"interval"}},
		"OfDefaults":     {base, "[defaults]\ntimeout = \"9s\"\n" + base, vars, files, []string{"timeout"}},
		"Models":         {base + "models = [\"a\"]\n", base, vars, files, []string{"models"}},
		"Address":        {base, base + "base_url = \"https://h.example.com/v1\"\n", vars, files, []string{"base_url"}},
		"AddressIsGiven": {base, base + "base_url = \"https://api.openai.com/v1\"\n", vars, files, []string{"base_url"}},
		"Password": {
			base + "base_url = \"https://u:one@h.example.com/v1\"\n", base + "base_url = \"https://u:two@h.example.com/v1\"\n",
			vars, files, []string{"base_url"},
		},
		"KeyElsewhere":  {base, base + "api_key_env = \"TEAM\"\n", vars, files, []string{"api_key_env"}},
		"KeyInItsFile":  {base + "api_key_file = \"/k\"\n", base + "api_key_file = \"/k\"\n", vars, map[string]string{"/k": "new-key"}, []string{"api_key_file"}},
		"KeyOfVariable": {base, base, map[string]string{"OPENAI_API_KEY": "a-new-one"}, files, []string{"api_key_env"}},
		"SecretOfCommand": {
			"[[provider]]\nid = \"a\"\nkind = \"exec\"\ncommand = [\"/bin/x\", \"--token\", \"one-secret\"]\n",
			"[[provider]]\nid = \"a\"\nkind = \"exec\"\ncommand = [\"/bin/x\", \"--token\", \"two-secret\"]\n", vars, files, []string{"command"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			was, now := parse(t, c.before, env(vars, files)), parse(t, c.now, env(c.vars, c.files))
			got := now.Providers[0].ChangedSettings(&was.Providers[0])
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// Each setting of [daemon] is told of after a reload: it took effect, or takes a restart.
func TestDaemon_AppliedNamesWhatAReloadCanChange(t *testing.T) {
	restart := []string{"Socket", "StateDir", "MetricsListen", "InsecureFolders"}
	before := config.Daemon{LogLevel: "info"}
	kind := reflect.TypeFor[config.Daemon]()
	for i := range kind.NumField() {
		now := before
		switch field := reflect.ValueOf(&now).Elem().Field(i); field.Kind() {
		case reflect.Bool:
			field.SetBool(true)
		case reflect.Slice:
			field.Set(reflect.ValueOf([]string{"/another"}))
		default:
			field.SetString("another")
		}
		if got, want := len(now.Applied(before)), !slices.Contains(restart, kind.Field(i).Name); (got == 1) != want {
			t.Errorf("%s: %q", kind.Field(i).Name, now.Applied(before))
		}
	}
	if got := (config.Daemon{LogLevel: "debug"}).Applied(before); !slices.Equal(got, []string{`log_level = "debug"`}) {
		t.Errorf("%q", got)
	}
}
