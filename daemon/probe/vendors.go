package probe

import (
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// These vendors have OpenAI's model list behind a key, and differ from each other
// in nothing but the address and the names of things.

// mistral is Mistral's API (docs.mistral.ai/api/endpoint/models). Its rows have a
// max_context_length; its limits come in ratelimitbysize-*.
var mistral = kind{
	Kind: config.Kind{
		Name:      "mistral",
		Type:      provider.Cloud,
		BaseURL:   "https://api.mistral.ai/v1",
		OpenAI:    "/",
		KeyEnv:    []string{"MISTRAL_API_KEY"},
		KeyNeeded: true,
	},
	title:  "Mistral",
	path:   "/models",
	accept: openaiList,
}

// cerebras is Cerebras's inference API
// (inference-docs.cerebras.ai/api-reference/models/list-models). Its limits come
// in x-ratelimit-*-requests-day and x-ratelimit-*-tokens-minute, in seconds
// (inference-docs.cerebras.ai/support/rate-limits).
var cerebras = kind{
	Kind: config.Kind{
		Name:      "cerebras",
		Type:      provider.Cloud,
		BaseURL:   "https://api.cerebras.ai/v1",
		OpenAI:    "/",
		KeyEnv:    []string{"CEREBRAS_API_KEY"},
		OwnKey:    keyBegins("csk-"),
		KeyNeeded: true,
	},
	title:  "Cerebras",
	path:   "/models",
	accept: openaiList,
}

// moonshot is Moonshot's API, outside China
// (platform.moonshot.ai/docs/api/list-models); a key of platform.moonshot.cn is
// rejected here, and wants base_url = "https://api.moonshot.cn/v1". An account
// without balance may list models all the same.
var moonshot = kind{
	Kind: config.Kind{
		Name:      "moonshot",
		Type:      provider.Cloud,
		BaseURL:   "https://api.moonshot.ai/v1",
		OpenAI:    "/",
		KeyEnv:    []string{"MOONSHOT_API_KEY"},
		KeyNeeded: true,
	},
	title:  "Moonshot",
	path:   "/models",
	accept: openaiList,
}
