package cmd_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// What programs are told of a kind goes with what the daemon knows of it: there is a
// row for every kind that serves models, and it names the same variable for the key.
func TestClients_OfEveryKind(t *testing.T) {
	own := []string{"triton", "openai-compatible"} // whose address is what it is
	for _, k := range probe.Kinds() {
		if k.Type == provider.Generic {
			continue
		}
		base := k.BaseURL
		if base == "" {
			base = "https://host.example"
		}
		key := ""
		for _, v := range provider.ClientVariables("id", k.Name, base) {
			if v.Name == "PROVIDERD_KEY_ENV" {
				key = v.Value
			}
		}
		want := ""
		if len(k.KeyEnv) > 0 {
			want = k.KeyEnv[0]
		}
		if key != want {
			t.Errorf("%s: the key is in %q, and the daemon reads %q", k.Name, key, want)
		}
		if url := provider.ClientURL(k.Name, base); k.Type == provider.Local && !slices.Contains(own, k.Name) && !strings.HasSuffix(url, "/v1") {
			t.Errorf("%s: %s is not where OpenAI's API is", k.Name, url)
		}
	}
}
