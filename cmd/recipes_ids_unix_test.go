//go:build unix

package cmd_test

import (
	"fmt"
	"strings"
	"testing"
)

// The recipes work whatever the providers are called.
func TestRecipes_WithOtherIDs(t *testing.T) {
	all := recipes(t)
	k := newRecipeDaemon(t)
	k.write(fmt.Sprintf("[[provider]]\nid = \"mine\"\nkind = \"ollama\"\nbase_url = %q\n"+
		"[[provider]]\nid = \"theirs\"\nkind = \"openai\"\nbase_url = \"%s/v1\"\napi_key_file = %q\n", k.local.URL, k.cloud.URL, k.key))
	k.ctl("reload")
	k.ctl("wait", "mine", "theirs", "--timeout", "60s")
	k.tool("make", `echo "made $*"`)
	k.file("prompt.json", `{}`)
	for heading, want := range map[string]string{
		"Wait for Ollama in a boot script":               "agent  at  with",
		"Take the local one if it is up, else the cloud": "agent  at " + k.local.URL + "/v1 with none\n",
		"Fail a CI step early, and say why":              "made test\n",
		"Back off together after a 429":                  "hello from ",
		"Restart a server that hangs":                    "",
	} {
		if heading == "Back off together after a 429" {
			needs(t, "curl")
		}
		out, talk, code := k.sh(all[heading])
		if code != 0 || !strings.Contains(out, want) || strings.Contains(talk, "no such provider") || want == "" && out != "" {
			t.Errorf("%s: %d %q %q", heading, code, out, talk)
		}
		if strings.Contains(out, " is RUNNING") {
			t.Errorf("%s: what is for people is among the data: %q", heading, out)
		}
	}
}
