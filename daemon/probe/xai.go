package probe

import (
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// xai is xAI's API (docs.x.ai/developers/rest-api-reference). Its page about the key
// decides: that tells a blocked key from one that works.
var xai = kind{
	Kind: config.Kind{
		Name:      "xai",
		Type:      provider.Cloud,
		BaseURL:   "https://api.x.ai/v1",
		OpenAI:    "/",
		KeyEnv:    []string{"XAI_API_KEY"},
		OwnKey:    keyBegins("xai-"),
		KeyNeeded: true,
		// The one page of status.x.ai that a program may read (it is the example of
		// docs.x.ai/docs/guides/live-search). An incident is listed once for each
		// component, with the component's name before the title; grok.com and the apps are
		// others.
		Feed: config.Feed{
			URL: "https://status.x.ai/feed.xml", Format: config.RSS,
			Components: []string{"Global (api.x.ai)", "US (us.api.x.ai)"},
		},
	},
	title: "xAI",
	path:  "/api-key",
	accept: func(a *answer) (Facts, bool) {
		_, ok := readXAIKey(a)
		return Facts{}, ok
	},
	except: xaiRefusal,
	facts:  []fact{{path: "/models", read: readModels}},
}

// An xaiKey is what xAI says about a key.
type xaiKey struct {
	ID          string `json:"api_key_id"`
	Blocked     *bool  `json:"api_key_blocked"`
	Disabled    *bool  `json:"api_key_disabled"`
	TeamBlocked *bool  `json:"team_blocked"`
}

func readXAIKey(a *answer) (xaiKey, bool) {
	var key xaiKey
	ok := a.decode(&key)
	return key, ok && key.ID != "" && key.Blocked != nil && key.Disabled != nil && key.TeamBlocked != nil
}

// xaiRefusal: a key that cannot be used comes with 200, a wrong one with 400
// (docs.x.ai/developers/debugging), and used-up credit with 403 (warpdotdev/warp, issue
// 14863) or 429, which the rules know.
func xaiRefusal(a *answer) finding {
	if a.status/100 != 2 || !a.whole() {
		return finding{}
	}
	key, ok := readXAIKey(a)
	if !ok {
		return finding{}
	}
	return key.trouble()
}

// trouble is why the key cannot be used; a zero finding if it can.
func (k *xaiKey) trouble() finding {
	forbidden := func(detail string) finding { return finding{saw: provider.Forbidden, detail: detail} }
	switch {
	case *k.TeamBlocked:
		return forbidden("the key's team is blocked")
	case *k.Blocked:
		return forbidden("the key is blocked")
	case *k.Disabled:
		return forbidden("the key is disabled")
	}
	return finding{}
}
