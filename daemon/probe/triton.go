package probe

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// triton is NVIDIA's Triton Inference Server, which speaks KServe's v2 protocol
// (src/http_server.cc and docs/protocol of triton-inference-server/server). The health
// pages have no body, and "not ready" is 400. The repository index is requested with POST,
// lists the models and their states, and loads nothing (extension_model_repository.md).
// OpenAI's API is another program's, on a port of its own (python/openai).
var triton = kind{
	Kind: config.Kind{
		Name:    "triton",
		Type:    provider.Local,
		BaseURL: "http://127.0.0.1:8000",
		Hints: provider.Hints{
			provider.ConnectionRefused: "start it, or wait while it loads: tritonserver --model-repository FOLDER",
			provider.NoModels:          "load a model: curl -X POST {endpoint}/v2/repository/models/MODEL/load",
			provider.ModelMissing:      "load the missing model: curl -X POST {endpoint}/v2/repository/models/{model}/load",
		},
	},
	title:      "Triton",
	many:       "src/http_server.cc of triton-inference-server/server: event loops of libevhtp",
	path:       "/v2/health/ready",
	accept:     silentlyOK,
	confirm:    confirmAt("/v2", isTriton),
	reconsider: tritonNotReady,
	facts: []fact{
		{path: "/v2", read: tritonVersion},
		{path: tritonIndex, post: true, read: tritonModels},
	},
	marks: isTriton,
	sign:  sign{"/v2", func(a *answer) (f Facts, ok bool) { tritonVersion(a, &f); return f, isTriton(a) }},
}

const tritonIndex = "/v2/repository/index"

// tritonAbout is /v2. The name is "triton" unless --id says otherwise; other servers of the
// protocol do not have the extension.
type tritonAbout struct {
	Name       string   `json:"name"`
	Version    string   `json:"version"`
	Extensions []string `json:"extensions"`
}

func isTriton(a *answer) bool {
	var body tritonAbout
	return a.decode(&body) && body.Extensions != nil &&
		(body.Name == "triton" || slices.Contains(body.Extensions, "model_repository"))
}

func tritonVersion(a *answer, f *Facts) {
	var body tritonAbout
	if a.decode(&body) {
		f.Version = body.Version
	}
}

// tritonNotReady: it is ready when every model is. One that failed to load prevents that
// for good.
func tritonNotReady(ctx context.Context, r *run, a *answer, found finding) finding {
	if a.status != 400 && a.status != 503 || found.saw == provider.TLSFailure || found.saw == provider.Overloaded {
		return nameOther(ctx, r, a, found)
	}
	live := r.get(ctx, "/v2/health/live")
	if live.err != nil || live.status != 200 {
		return nameOther(ctx, r, a, found)
	}
	if other := r.confirm(ctx, live); other.saw != "" {
		return other
	}
	states, _ := readTritonIndex(r.post(ctx, tritonIndex))
	switch {
	case states.loading != "":
		return finding{saw: provider.Loading, detail: "a model is loading: " + states.loading}
	case states.failed != "":
		return finding{saw: provider.ServerError, detail: "a model failed to load: " + states.failed}
	}
	return finding{saw: provider.Loading, detail: "it is alive, but not ready: models are being loaded"}
}

// tritonModels lists what it can serve now. A model in the repository that is not loaded
// answers no request until somebody loads it.
func tritonModels(a *answer, f *Facts) {
	states, ok := readTritonIndex(a)
	if !ok {
		return
	}
	f.Models, f.Loaded = []provider.Model{}, []string{}
	for _, name := range states.ready {
		loaded := true
		f.add(provider.Model{ID: name, Loaded: &loaded})
	}
	switch {
	case states.loading != "":
		f.Note = "a model is loading: " + states.loading
	case states.failed != "":
		f.Note = "a model failed to load: " + states.failed
	}
}

// tritonStates are the models that are ready, one that is loading, and one that
// failed with its reason.
type tritonStates struct {
	ready           []string
	loading, failed string
}

// readTritonIndex reads a row for each version of each model. "unloaded" is what
// somebody wanted; no state at all is a model that was never loaded.
func readTritonIndex(a *answer) (tritonStates, bool) {
	var s tritonStates
	if a.err != nil || a.status != 200 || !a.whole() || !a.isJSON() {
		return s, false
	}
	type row struct {
		Name   string `json:"name"`
		State  string `json:"state"`
		Reason string `json:"reason"`
	}
	seen := map[string]bool{}
	n, ok := rows(json.RawMessage(a.body), func(m *row) {
		switch {
		case m.State == "READY" && m.Name != "" && !seen[m.Name]:
			seen[m.Name] = true
			s.ready = append(s.ready, m.Name)
		case m.State == "LOADING":
			s.loading = m.Name
		case m.State == "UNAVAILABLE" && m.Reason != "" && m.Reason != "unloaded":
			s.failed = m.Name + ": " + m.Reason
		}
	})
	return s, ok && n <= maxModels
}
