package probe

import (
	"time"

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
	facts:  []fact{{path: "/user/balance", read: readDeepSeekBalance}},
}

// readDeepSeekBalance reads what is left of an account's money, granted or paid for, in each
// of its currencies (api-docs.deepseek.com/api/get-user-balance). The page is free, and part
// of the API for which the key is.
func readDeepSeekBalance(a *answer, f *Facts) {
	var body struct {
		Infos []struct {
			Currency string `json:"currency"`
			Total    string `json:"total_balance"`
		} `json:"balance_infos"`
	}
	if !a.decode(&body) {
		return
	}
	for _, b := range body.Infos[:min(len(body.Infos), provider.MostLimits)] {
		if currency := provider.LimitName(a.prober.clean.line(b.Currency, provider.LongestLimit)); len(currency) == 3 {
			f.Limits = append(f.Limits, credits("balance_"+currency, amount(b.Total), nil, time.Time{}, a.prober.now())...)
		}
	}
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
