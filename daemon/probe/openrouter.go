package probe

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// openrouter is OpenRouter (openrouter.ai/docs/api-reference/limits). Its model list is
// public, so its page about the key decides. That has the credit that the key may still
// use, but not the account's balance. A used-up balance shows only on requests that cost
// something (402).
var openrouter = kind{
	Kind: config.Kind{
		Name:      "openrouter",
		Type:      provider.Cloud,
		BaseURL:   "https://openrouter.ai/api/v1",
		OpenAI:    "/",
		KeyEnv:    []string{"OPENROUTER_API_KEY"},
		OwnKey:    keyBegins("sk-or-"),
		KeyNeeded: true,
	},
	title: "OpenRouter",
	path:  "/key",
	accept: func(a *answer) (Facts, bool) {
		key, ok := readOpenRouterKey(a)
		return Facts{Limits: key.limits(a.prober.now())}, ok
	},
	except: openrouterLimit,
	facts:  []fact{{path: "/models", read: readModels}},
}

// An openrouterKey is what OpenRouter says about a key. Its remaining credit is nil if it
// has no limit.
type openrouterKey struct {
	Label     *string         `json:"label"`
	Usage     *float64        `json:"usage"`
	Limit     json.RawMessage `json:"limit"` // a number, or null
	Remaining *float64        `json:"limit_remaining"`
	Reset     string          `json:"limit_reset"` // "daily", "weekly", "monthly"; null: never
}

func readOpenRouterKey(a *answer) (openrouterKey, bool) {
	var body struct {
		Data openrouterKey `json:"data"`
	}
	ok := a.decode(&body)
	key := body.Data
	return key, ok && key.Label != nil && key.Usage != nil && key.Limit != nil
}

// limits are the credits that the key may still use. Its page says how often they are reset;
// that is at midnight UTC, on Mondays and on the first of the month
// (openrouter.ai/docs/api-reference/api-keys/create-keys).
func (k *openrouterKey) limits(now time.Time) []provider.Limit {
	day := now.UTC().Truncate(24 * time.Hour)
	var resets time.Time
	switch k.Reset {
	case "daily":
		resets = day.AddDate(0, 0, 1)
	case "weekly":
		resets = day.AddDate(0, 0, 7-(int(day.Weekday())+6)%7)
	case "monthly":
		resets = time.Date(day.Year(), day.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	}
	if k.Remaining == nil { // the key has no limit
		return nil
	}
	return credits("credits", k.Remaining, amount(string(k.Limit)), resets, now)
}

// openrouterLimit: a key whose credit limit is used up is valid but useless.
func openrouterLimit(a *answer) finding {
	if a.status/100 != 2 || !a.whole() {
		return finding{}
	}
	key, ok := readOpenRouterKey(a)
	if !ok || key.Remaining == nil || *key.Remaining > 0 {
		return finding{}
	}
	detail := fmt.Sprintf("the key's credit limit of %s is used up", key.Limit)
	if key.Reset != "" {
		detail += ", and is reset " + key.Reset
	}
	return finding{saw: provider.QuotaExhausted, detail: detail, facts: Facts{Limits: key.limits(a.prober.now())}}
}
