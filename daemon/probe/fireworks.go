package probe

import (
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// fireworks is Fireworks AI's API (docs.fireworks.ai/guides/inference-error-codes).
// The list is OpenAI's with a context_length.
var fireworks = kind{
	Kind: config.Kind{
		Name:      "fireworks",
		Type:      provider.Cloud,
		BaseURL:   "https://api.fireworks.ai/inference/v1",
		OpenAI:    "/",
		KeyEnv:    []string{"FIREWORKS_API_KEY"},
		OwnKey:    keyBegins("fw_"),
		KeyNeeded: true,
		Hints: provider.Hints{
			provider.Forbidden: "if the account is suspended, pay its invoices or raise its budget: fireworks.ai/billing",
		},
	},
	title:  "Fireworks AI",
	path:   "/models",
	accept: openaiList,
	except: fireworksSuspended,
}

// fireworksSuspended: 412 means that the account is suspended; its message guesses why. A
// 412 without that error is left to the rules.
func fireworksSuspended(a *answer) finding {
	if a.status != 412 {
		return finding{}
	}
	c := a.complaint()
	if !c.Shaped {
		return finding{}
	}
	return finding{saw: provider.Forbidden, detail: a.statusLine() + ": " + c.Message}
}
