package probe

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// gemini is Google's Gemini API (ai.google.dev/api/models and
// /gemini-api/docs/api-key), which has OpenAI's beside its own
// (ai.google.dev/gemini-api/docs/openai). The key goes into a header, though a
// query would do, because addresses are shown. Its list is asked for one model:
// that proves the key, and is small; the whole list is a fact.
var gemini = kind{
	Kind: config.Kind{
		Name:      "gemini",
		Type:      provider.Cloud,
		BaseURL:   "https://generativelanguage.googleapis.com",
		AddrEnv:   "GOOGLE_GEMINI_BASE_URL", // googleapis/python-genai google/genai/_base_url.py
		OpenAI:    "/v1beta/openai",
		KeyEnv:    []string{"GOOGLE_API_KEY", "GEMINI_API_KEY"}, // of both the first counts
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
	wait:   googleDelay,
	facts: []fact{{path: "/v1beta/models?pageSize=1000", read: func(a *answer, f *Facts) {
		if models, ok := geminiList(a); ok {
			f.Models = models
		}
	}}},
}

// geminiList reads the list; models are nil when there are more of them. Their
// names begin with "models/", which tells the list from Ollama's and which
// nobody writes who uses them. An account that may use none is not known.
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

// geminiRefusal (ai.google.dev/gemini-api/docs/troubleshooting): a wrong key, and a
// country without a free tier, are told with 400. A 503 of its own is about
// capacity. "You exceeded your current quota" is what it says of every limit; that
// the day's is used up is told by the limit's name, as its own program reads it
// (google-gemini/gemini-cli packages/core/src/utils/googleQuotaErrors.ts).
func geminiRefusal(a *answer) finding {
	if a.status < 400 {
		return finding{}
	}
	c, details := a.complaint(), googleDetails(a)
	found := finding{detail: a.statusLine() + ": " + c.message}
	has := func(status string) bool { return slices.Contains(c.codes, status) }
	switch {
	case a.status == 400 && slices.ContainsFunc(details, googleDetail.rejectsKey):
		found.saw = provider.Unauthorized
	case a.status == 400 && has("failed_precondition"):
		found.saw = provider.Forbidden
	case a.status == 503 && has("unavailable"):
		found.saw = provider.Overloaded
	case a.status == 429 && slices.ContainsFunc(details, googleDetail.isDaily):
		found.saw = provider.QuotaExhausted
	case a.status == 429 && slices.ContainsFunc(details, googleDetail.isLimit):
		found.saw = provider.RateLimited
	}
	return found
}

// A googleDetail is any of the details of Google's errors: an ErrorInfo, a
// QuotaFailure or a RetryInfo (googleapis/googleapis google/rpc/error_details.proto).
type googleDetail struct {
	Reason   string `json:"reason"`
	Metadata struct {
		Limit string `json:"quota_limit"`
	} `json:"metadata"`
	Violations []struct {
		Limit string `json:"quotaId"`
	} `json:"violations"`
	Delay string `json:"retryDelay"` // "34s", "34.074824224s"
}

func googleDetails(a *answer) []googleDetail {
	var body struct {
		Error struct {
			Details []googleDetail `json:"details"`
		} `json:"error"`
	}
	if !a.decode(&body) {
		return nil
	}
	return body.Error.Details
}

func (d googleDetail) rejectsKey() bool { return d.Reason == "API_KEY_INVALID" }

// limits are the names of the limits that are used up.
func (d googleDetail) limits() []string {
	var names []string
	for _, v := range d.Violations {
		names = append(names, v.Limit)
	}
	return append(names, d.Metadata.Limit)
}

func (d googleDetail) isLimit() bool {
	return slices.ContainsFunc(d.limits(), func(name string) bool { return name != "" })
}

func (d googleDetail) isDaily() bool {
	return slices.ContainsFunc(d.limits(), func(name string) bool {
		return strings.Contains(name, "PerDay") || strings.Contains(name, "Daily")
	})
}

// googleDelay is the longest wait that an error's details ask for.
func googleDelay(a *answer) time.Duration {
	var wait time.Duration
	for _, d := range googleDetails(a) {
		if delay, err := time.ParseDuration(d.Delay); err == nil {
			wait = max(wait, delay)
		}
	}
	return wait
}
