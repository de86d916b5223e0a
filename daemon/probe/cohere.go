package probe

import (
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// cohere is Cohere's API (docs.cohere.com/reference/list-models and /reference/errors). A
// page of the list has 20 models by default, and 1,000 at most. Its own SDKs read the key
// from CO_API_KEY (cohere-ai/cohere-python src/cohere/base_client.py). A trial key has
// 1,000 calls a month for all endpoints together (docs.cohere.com/docs/rate-limits), and no
// endpoint is exempt: a probe every two hours leaves such a key nearly two thirds of them.
// Clients of OpenAI's API use another host (docs.cohere.com/docs/compatibility-api).
var cohere = kind{
	Kind: config.Kind{
		Name:      "cohere",
		Type:      provider.Cloud,
		BaseURL:   "https://api.cohere.com/v1",
		KeyEnv:    []string{"COHERE_API_KEY", "CO_API_KEY"},
		KeyNeeded: true,
		Interval:  2 * time.Hour,
	},
	title:  "Cohere",
	path:   "/models?page_size=1000",
	accept: cohereList,
	except: cohereRefusal,
}

// cohereList reads {"models": [{"name": …, "endpoints": […]}], "next_page_token": …}.
// Others have a list of that name, but only Cohere's models have endpoints. If there is
// another page, the models are unknown.
func cohereList(a *answer) (Facts, bool) {
	var page struct {
		Next string `json:"next_page_token"`
	}
	a.decode(&page) // a broken page has no models
	facts := Facts{Models: []provider.Model{}}
	own := false
	n, ok := modelRows(a, func(row *struct {
		Name      string   `json:"name"`
		Endpoints []string `json:"endpoints"`
		Context   float64  `json:"context_length"` // a double in the reference
	}) {
		if row.Name == "" {
			return
		}
		own = own || row.Endpoints != nil
		facts.add(provider.Model{ID: row.Name, ContextLength: max(int64(row.Context), 0)})
	})
	if page.Next != "" {
		facts = Facts{Note: "it lists more models than fit on one page"}
	}
	return facts.limited(n), ok && (own || n == 0)
}

// cohereRefusal: a trial key's monthly limit comes with 429, like the one per minute.
// Errors have no code; the id beside the message shows that they are Cohere's.
func cohereRefusal(a *answer) finding {
	var body struct {
		ID      string `json:"id"`
		Message string `json:"message"`
	}
	if a.status < 400 || !a.decode(&body) || body.Message == "" {
		return finding{}
	}
	found := finding{detail: a.statusLine() + ": " + body.Message}
	switch a.status {
	case 429:
		if strings.Contains(strings.ToLower(body.Message), "/ month") {
			found.saw = provider.QuotaExhausted
		}
	case 400, 404, 405, 422, 498, 499:
		if body.ID != "" {
			found.saw = provider.BadResponse
		}
	}
	return found
}
