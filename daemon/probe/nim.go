package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// nim is an NVIDIA NIM container (docs.nvidia.com/nim/large-language-models, "API
// Reference"). It is alive long before it is ready, while it downloads and loads the model:
// until then /v1/health/ready is 503 and /v1/health/live is 200.
var nim = kind{
	Kind: config.Kind{
		Name:    "nim",
		Type:    provider.Local,
		BaseURL: "http://127.0.0.1:8000",
		OpenAI:  "/v1",
		Hints: provider.Hints{
			provider.ConnectionRefused: "start it: docker run --gpus all -e NGC_API_KEY -p 8000:8000 IMAGE",
		},
	},
	title:      "NVIDIA NIM",
	path:       "/v1/health/ready",
	accept:     nimReady,
	confirm:    confirmNIM,
	reconsider: nimNotReady,
	facts: []fact{
		{path: "/v1/models", read: served},
		{path: "/v1/metadata", read: nimVersion},
	},
	marks: isNIM,
	sign:  sign{"/v1/metadata", nimMetadata},
}

// nimHealth is the body of both health pages: "object" is in those of most NIMs,
// "status" in newer ones.
type nimHealth struct {
	Object string `json:"object"`
	Status string `json:"status"`
}

// nimReady accepts the words of all NIMs: some say only {"status":"ready"}, true, or
// nothing.
func nimReady(a *answer) (Facts, bool) {
	if _, empty := silentlyOK(a); empty || isNIM(a) || string(bytes.TrimSpace(a.body)) == "true" {
		return Facts{}, true
	}
	var body nimHealth
	return Facts{}, a.decode(&body) && body.Status == "ready"
}

func isNIM(a *answer) bool {
	var body nimHealth
	return a.decode(&body) && strings.HasSuffix(body.Object, "health.response")
}

// confirmNIM: if the words are not specific to NIM, its metadata are.
func confirmNIM(ctx context.Context, r *run, ready *answer) finding {
	if isNIM(ready) {
		return finding{}
	}
	return confirmAt("/v1/metadata", func(a *answer) bool {
		_, ok := nimMetadata(a)
		return ok
	})(ctx, r, ready)
}

func nimNotReady(ctx context.Context, r *run, a *answer, found finding) finding {
	if found.saw != provider.ServerError && found.saw != provider.Intermediary || a.status != 503 && a.status != 502 { // 502: the proxy within the container
		return nameOther(ctx, r, a, found)
	}
	live := r.get(ctx, "/v1/health/live")
	if live.err != nil || live.status != 200 || live.isHTML() {
		return found
	}
	return finding{saw: provider.Loading, detail: "it is alive, but not ready: the model is being downloaded or loaded"}
}

// nimAbout is /v1/metadata.
type nimAbout struct {
	Version string          `json:"version"`
	Models  json.RawMessage `json:"modelInfo"`
}

func nimMetadata(a *answer) (Facts, bool) {
	var body nimAbout
	ok := a.decode(&body) && body.Models != nil && body.Version != ""
	return Facts{Version: body.Version}, ok
}

func nimVersion(a *answer, f *Facts) {
	var body nimAbout
	if a.decode(&body) {
		f.Version = body.Version
	}
}
