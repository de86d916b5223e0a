package probe

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// anthropic is Anthropic's API (docs.anthropic.com/en/api/models-list and /api/errors).
// Clients of OpenAI's API use /v1 too (platform.claude.com/docs/en/api/openai-sdk). The
// deciding request asks for a list of one model: that proves the key, and is small. The
// whole list is a fact. A spend limit that the customer set, an empty balance and an
// organization that Anthropic has disabled come with 400 (anthropics/claude-code, issue
// 8327): see daemon/probe/complaint.
var anthropic = kind{
	Kind: config.Kind{
		Name:      "anthropic",
		Type:      provider.Cloud,
		BaseURL:   "https://api.anthropic.com",
		AddrEnv:   "ANTHROPIC_BASE_URL",
		OpenAI:    "/v1",
		KeyEnv:    []string{"ANTHROPIC_API_KEY"},
		TokenEnv:  "ANTHROPIC_AUTH_TOKEN",
		OwnKey:    keyBegins("sk-ant-"),
		KeyNeeded: true,
		Default:   true,
		// status.claude.com/api; claude.ai, the console and Claude Code are others.
		Feed: config.Feed{
			URL: "https://status.claude.com/api/v2/summary.json", Format: config.Statuspage,
			Components: []string{"Claude API (api.anthropic.com)"},
		},
	},
	title: "Anthropic",
	path:  "/v1/models?limit=1",
	authorize: func(h http.Header, key string) {
		h.Set("X-Api-Key", key)
		h.Set("Anthropic-Version", "2023-06-01")
	},
	bearer:   anthropicBearer,
	rejected: anthropicOther,
	accept: func(a *answer) (Facts, bool) {
		_, ok := anthropicList(a)
		return Facts{}, ok
	},
	facts: []fact{{path: "/v1/models?limit=1000", read: func(a *answer, f *Facts) {
		if models, ok := anthropicList(a); ok {
			f.Models = models
		}
	}}},
}

// anthropicBearer: ANTHROPIC_AUTH_TOKEN goes into the Authorization header alone, and
// ANTHROPIC_API_KEY into X-Api-Key alone (anthropics/anthropic-sdk-python
// src/anthropic/_client.py auth_headers). If both are set, Claude Code uses the token. A
// key from another variable or a file may be either, so a gateway gets it both ways, as
// from Claude Code with what its apiKeyHelper prints
// (docs.anthropic.com/en/docs/claude-code/llm-gateway). Anthropic itself gets it as a key.
func anthropicBearer(p *config.Provider, base *url.URL) (bearer, alone bool) {
	switch {
	case p.KeySource == "env ANTHROPIC_AUTH_TOKEN":
		return true, true
	case p.KeySource == "env ANTHROPIC_API_KEY", base.Hostname() == "api.anthropic.com":
		return false, false
	}
	return p.KeySource != "", false
}

// anthropicOther is what to do if a gateway rejects a key in one header: it might want the
// key in the other.
func anthropicOther(p *config.Provider, base *url.URL) string {
	if base.Hostname() == "api.anthropic.com" || p.Hints[provider.Unauthorized] != "" {
		return ""
	}
	const sent = "the key was sent as %s and rejected: if this gateway wants it as %s, set %s instead of %s; otherwise replace the key"
	switch p.KeySource {
	case "env ANTHROPIC_API_KEY":
		return fmt.Sprintf(sent, "X-Api-Key", "a Bearer token", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY")
	case "env ANTHROPIC_AUTH_TOKEN":
		return fmt.Sprintf(sent, "a Bearer token", "X-Api-Key", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
	}
	return ""
}

// anthropicList reads the list; models are nil if there are more of them. OpenAI's list has
// no has_more; it has "object" instead.
func anthropicList(a *answer) (models []provider.Model, ok bool) {
	var page struct {
		More   *bool  `json:"has_more"`
		Object string `json:"object"`
	}
	if !a.decode(&page) || page.More == nil || page.Object != "" {
		return nil, false
	}
	list, ok := readList(a)
	if *page.More || list.long {
		return nil, ok
	}
	return list.models, ok
}
