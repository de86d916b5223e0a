package probe

import (
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// together is Together AI's API (docs.together.ai/reference/models and /docs/error-codes).
// Its list is OpenAI's without the envelope. A spending limit comes with 402.
var together = kind{
	Kind: config.Kind{
		Name:      "together",
		Type:      provider.Cloud,
		BaseURL:   "https://api.together.xyz/v1",
		OpenAI:    "/",
		KeyEnv:    []string{"TOGETHER_API_KEY"},
		KeyNeeded: true,
	},
	title:  "Together AI",
	path:   "/models",
	accept: openaiList,
	except: overloaded503,
}
