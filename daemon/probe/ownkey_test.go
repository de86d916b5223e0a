package probe_test

import (
	"testing"

	"github.com/providerd/providerd/daemon/probe"
)

// Each vendor's mark tells its keys from all the others'.
func TestKinds_KnowTheirOwnKeys(t *testing.T) {
	const rest = "0000example0000"
	keys := map[string]string{
		"openai": "sk-proj-" + rest, "anthropic": "sk-ant-api03-" + rest, "openrouter": "sk-or-v1-" + rest, "groq": "gsk_" + rest,
		"xai": "xai-" + rest, "gemini": "AIza" + rest, "perplexity": "pplx-" + rest, "fireworks": "fw_" + rest,
		"huggingface": "hf_" + rest, "nvidia": "nvapi-" + rest, "cerebras": "csk-" + rest,
	}
	for whose, key := range keys {
		for _, k := range probe.Kinds() {
			if got, want := k.OwnKey != nil && k.OwnKey(key), k.Name == whose; got != want {
				t.Errorf("%s takes a key of %s for its own: %v", k.Name, whose, got)
			}
		}
	}
	for _, k := range probe.Kinds() {
		if k.Name == "openai" && !k.OwnKey("sk-00T3BlbkFJ00") {
			t.Error("an older key of OpenAI's is not known")
		}
		if k.OwnKey != nil && k.OwnKey("sk-"+rest) {
			t.Errorf("%s takes a key that may be anybody's for its own", k.Name)
		}
	}
}
