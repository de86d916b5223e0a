package probe

import (
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// deepseek is DeepSeek's API (api-docs.deepseek.com/api/list-models and
// /quick_start/error_codes). An empty balance comes with 402.
var deepseek = kind{
	Kind: config.Kind{
		Name:      "deepseek",
		Type:      provider.Cloud,
		BaseURL:   "https://api.deepseek.com",
		OpenAI:    "/",
		KeyEnv:    []string{"DEEPSEEK_API_KEY"},
		KeyNeeded: true,
	},
	title:  "DeepSeek",
	path:   "/models",
	accept: openaiList,
	except: overloaded503,
}

// overloaded503 is for vendors whose reference gives a 503 one meaning: DeepSeek's "Server
// Overloaded" and Together's "Engine Overloaded". A 503 that is not their own, such as a
// page, is left to the rules.
func overloaded503(a *answer) finding {
	if a.status != 503 {
		return finding{}
	}
	c := a.complaint()
	if !c.Shaped || c.Means(503) != provider.ServerError {
		return finding{}
	}
	return finding{saw: provider.Overloaded, detail: a.statusLine() + ": " + c.Message}
}
