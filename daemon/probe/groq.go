package probe

import (
	"slices"
	"strings"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// groq is Groq's API (console.groq.com/docs/api-reference#models and /docs/errors). The
// limits in x-ratelimit-*-requests are per day and those in x-ratelimit-*-tokens per
// minute, and both refill continuously: /docs/rate-limits shows 30 requests of 14,400 gone
// and a reset in 2m59.56s.
var groq = kind{
	Kind: config.Kind{
		Name:      "groq",
		Type:      provider.Cloud,
		BaseURL:   "https://api.groq.com/openai/v1",
		OpenAI:    "/",
		KeyEnv:    []string{"GROQ_API_KEY"},
		OwnKey:    keyBegins("gsk_"),
		KeyNeeded: true,
		// status.groq.com redirects to groqstatus.com. Each model has a component of its
		// own, beside the API's.
		Feed: config.Feed{
			URL: "https://groqstatus.com/api/v2/summary.json", Format: config.Statuspage,
			Components: []string{"API"},
		},
	},
	title:   "Groq",
	path:    "/models",
	accept:  openaiList,
	except:  groqRefusal,
	refills: true,
}

// groqRefusal: 498 is Groq's own status for a service tier without capacity. A spend limit
// comes with 400 and blocked_api_access (console.groq.com/docs/spend-limits), or with codes
// that begin with spend_.
func groqRefusal(a *answer) finding {
	if a.status != 400 && a.status != 498 {
		return finding{}
	}
	c := a.complaint()
	found := finding{detail: a.statusLine() + ": " + c.Message}
	switch {
	case a.status == 498:
		found.saw = provider.Overloaded
	case slices.ContainsFunc(c.Codes, groqSpent):
		found.saw = provider.QuotaExhausted
	}
	return found
}

func groqSpent(code string) bool {
	return code == "blocked_api_access" || strings.HasPrefix(code, "spend_")
}
