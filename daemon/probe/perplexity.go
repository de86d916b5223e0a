package probe

import (
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// perplexity is Perplexity's API. Its model list needs no key
// (docs.perplexity.ai/api-reference/models-get), so the list of the account's asynchronous
// requests proves the key. It costs nothing and may be requested 3,000 times a minute
// (docs.perplexity.ai/api-reference/async-sonar-get, /guides/usage-tiers). The listed
// models are those of its agents.
var perplexity = kind{
	Kind: config.Kind{
		Name:      "perplexity",
		Type:      provider.Cloud,
		BaseURL:   "https://api.perplexity.ai",
		AddrEnv:   "PERPLEXITY_BASE_URL", // perplexityai/perplexity-py _client.py
		OpenAI:    "/",
		KeyEnv:    []string{"PERPLEXITY_API_KEY"},
		OwnKey:    keyBegins("pplx-"),
		KeyNeeded: true,
		// status.perplexity.com; its summary.json has no components, and the others are
		// the website and an agent.
		Feed: config.Feed{
			URL: "https://status.perplexity.com/v2/components.json", Format: config.Instatus,
			Components: []string{"API"},
		},
	},
	title:  "Perplexity",
	path:   "/v1/models",
	accept: openaiList,
	proof:  "/v1/async/sonar",
}
