package probe

import (
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// tgi is Hugging Face's text-generation-inference (router/src/server.rs). /health is 200
// without a body, or 503 {"error":"unhealthy"}; until the first success, and again after a
// failure, it generates a token to find out (router/src/infer/mod.rs, Infer::health); after
// that it only asks the shards. It serves one model, which /info describes. The key guards
// only the pages that generate, so it is not proven. The port is open only once the model
// is loaded.
var tgi = kind{
	Kind: config.Kind{
		Name:    "tgi",
		Type:    provider.Local,
		BaseURL: "http://127.0.0.1:3000",
		OpenAI:  "/v1",
		Hints: provider.Hints{
			provider.ConnectionRefused: "start it, or wait while it loads: text-generation-launcher --model-id MODEL",
			provider.Hung:              "its model server makes no progress: look at its log, then restart it",
		},
	},
	title:      "text-generation-inference",
	many:       "router/src/server.rs of huggingface/text-generation-inference: axum::serve",
	path:       "/health",
	accept:     silentlyOK,
	confirm:    confirmAt("/info", isTGI),
	reconsider: nameOther,
	facts:      []fact{{path: "/info", read: tgiInfo}},
	watch:      watchMetrics(&tgiMetrics),
	marks:      isTGI,
	sign:       sign{"/info", func(a *answer) (f Facts, ok bool) { tgiInfo(a, &f); return f, isTGI(a) }},
}

// tgiAbout is /info. Its sister project for embeddings has one too, without the total.
type tgiAbout struct {
	Model   string `json:"model_id"`
	Total   int64  `json:"max_total_tokens"`
	Version string `json:"version"`
}

func isTGI(a *answer) bool {
	var body tgiAbout
	return a.decode(&body) && body.Model != "" && body.Total > 0
}

func tgiInfo(a *answer, f *Facts) {
	var body tgiAbout
	if !a.decode(&body) || body.Model == "" {
		return
	}
	loaded := true
	f.Version = body.Version
	f.Models, f.Loaded = []provider.Model{}, []string{}
	f.add(provider.Model{ID: body.Model, ContextLength: max(body.Total, 0), Loaded: &loaded})
}

// tgiMetrics are those of backends/v3/src/backend.rs and queue.rs, and of
// router/src/server.rs. Each step of the model server is counted, as it begins and as it
// ends. tgi_request_count is not among them: it counts the callers' requests.
var tgiMetrics = engineMetrics{
	says:   "/health says ok",
	prefix: "tgi",
	roles: map[string]role{
		"batch_current_size":             running,
		"queue_size":                     waiting,
		"batch_inference_count":          moves,
		"batch_inference_success":        moves,
		"batch_inference_failure":        moves,
		"request_success":                moves,
		"request_generated_tokens_sum":   moves,
		"request_generated_tokens_count": moves,
		"request_duration_count":         moves,
	},
	patience: 30 * time.Second,
}
