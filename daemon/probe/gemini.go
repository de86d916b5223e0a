package probe

import (
	"net/http"
	"slices"
	"strings"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// gemini is Google's Gemini API (ai.google.dev/api/models and /gemini-api/docs/api-key),
// which has OpenAI's API beside its own (ai.google.dev/gemini-api/docs/openai). The key
// goes into a header and not into the query, because addresses are shown. The deciding
// request asks for a list of one model: that proves the key, and is small. The whole list
// is a fact.
var gemini = kind{
	Kind: config.Kind{
		Name:      "gemini",
		Type:      provider.Cloud,
		BaseURL:   "https://generativelanguage.googleapis.com",
		AddrEnv:   "GOOGLE_GEMINI_BASE_URL", // googleapis/python-genai google/genai/_base_url.py
		OpenAI:    "/v1beta/openai",
		KeyEnv:    []string{"GOOGLE_API_KEY", "GEMINI_API_KEY"}, // if both are set, the first counts
		OwnKey:    keyBegins("AIza"),
		KeyNeeded: true,
		Check:     beforeSegment("v1beta"),
	},
	title:     "Gemini",
	path:      "/v1beta/models?pageSize=1",
	authorize: func(h http.Header, key string) { h.Set("X-Goog-Api-Key", key) },
	accept: func(a *answer) (Facts, bool) {
		_, ok := geminiList(a)
		return Facts{}, ok
	},
	except: geminiRefusal,
	facts: []fact{{path: "/v1beta/models?pageSize=1000", read: func(a *answer, f *Facts) {
		if models, ok := geminiList(a); ok {
			f.Models = models
		}
	}}},
}

// geminiList reads the list; models are nil if there are more of them. Their names begin
// with "models/", unlike Ollama's; people who use a model leave that out. Whether an
// account may use none of them is not known.
func geminiList(a *answer) (models []provider.Model, ok bool) {
	var page struct {
		Next string `json:"nextPageToken"`
	}
	if !a.decode(&page) {
		return nil, false
	}
	n, ok := modelRows(a, func(row *struct {
		Name    string `json:"name"`
		Context int64  `json:"inputTokenLimit"`
	}) {
		if id, named := strings.CutPrefix(row.Name, "models/"); named && id != "" {
			models = append(models, provider.Model{ID: id, ContextLength: max(row.Context, 0)})
		}
	})
	ok = ok && len(models) > 0
	if page.Next != "" || n > maxModels {
		return nil, ok
	}
	return models, ok
}

// geminiRefusal (ai.google.dev/gemini-api/docs/troubleshooting): a country without a free
// tier gets 400. Google's own 503 is about capacity. For the rest see
// daemon/probe/complaint.
func geminiRefusal(a *answer) finding {
	if a.status != 400 && a.status != 503 {
		return finding{}
	}
	c := a.complaint()
	found := finding{detail: a.statusLine() + ": " + c.Message}
	switch saw := c.Means(a.status); {
	case saw == "" && slices.Contains(c.Codes, "failed_precondition"):
		found.saw = provider.Forbidden
	case saw == provider.ServerError && slices.Contains(c.Codes, "unavailable"):
		found.saw = provider.Overloaded
	}
	return found
}
