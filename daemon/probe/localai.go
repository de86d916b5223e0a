package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// localai is LocalAI (core/http/routes and core/cli/run.go of mudler/LocalAI). Many servers
// on port 8080 have a /readyz without a body, so it must show its version too. /readyz is
// public and /version is not, so that proves the key. Before 4.8 /readyz was always 200.
var localai = kind{
	Kind: config.Kind{
		Name:    "localai",
		Type:    provider.Local,
		BaseURL: "http://127.0.0.1:8080",
		OpenAI:  "/v1",
		KeyEnv:  []string{"LOCALAI_API_KEY"},
		Hints: provider.Hints{
			provider.ConnectionRefused: "start it: local-ai run",
			provider.NoModels:          "install a model: local-ai models install qwen3-8b",
		},
	},
	title:     "LocalAI",
	many:      "core/http/app.go of mudler/LocalAI: Echo, an http.Server of Go",
	path:      "/readyz",
	authorize: firstKey,
	accept:    localaiReady,
	except:    localaiStarting,
	confirm:   confirmLocalAI,
	proof:     "/version",
	facts: []fact{
		{path: "/v1/models", read: readModels},
		{path: "/system", read: localaiSystem},
		{path: "/version", read: func(a *answer, f *Facts) {
			if known, ok := localaiVersion(a); ok {
				f.Version = known.Version
			}
		}},
	},
	marks: isLocalAI,
	sign:  sign{"/version", localaiVersion},
}

// isLocalAI recognises its answer to an unknown path (core/http/render.go).
func isLocalAI(a *answer) bool {
	return a.status == 404 && string(bytes.TrimSpace(a.body)) == `{"error":{"code":404,"message":"Resource not found","type":""}}`
}

// localaiReady: nothing, or "OK" before version 3.8.
func localaiReady(a *answer) (Facts, bool) {
	body := string(bytes.TrimSpace(a.body))
	return Facts{}, body == "" || body == "OK"
}

// localaiStarting: models named at its start are downloaded before it is ready.
func localaiStarting(a *answer) finding {
	var body struct {
		Status string `json:"status"`
		Reason string `json:"reason"`
	}
	if a.status != 503 || !a.decode(&body) || body.Status != "starting" {
		return finding{}
	}
	return finding{saw: provider.Loading, detail: body.Reason}
}

func confirmLocalAI(ctx context.Context, r *run, _ *answer) finding {
	found := r.judge(r.get(ctx, "/version"), localaiVersion)
	if found.saw == provider.OK {
		return finding{}
	}
	return found
}

// localaiVersion recognises the form "v3.5.0 (commit)" of internal/version.go; a build
// without a version has " ()".
func localaiVersion(a *answer) (Facts, bool) {
	var body struct {
		Version string `json:"version"`
	}
	ok := a.decode(&body) && strings.Contains(body.Version, " (") && strings.HasSuffix(body.Version, ")")
	return Facts{Version: strings.TrimSpace(strings.TrimSuffix(body.Version, "()"))}, ok
}

// localaiSystem lists what is loaded, if the key is an administrator's.
func localaiSystem(a *answer, f *Facts) {
	var body struct {
		Loaded json.RawMessage `json:"loaded_models"`
	}
	if !a.decode(&body) {
		return
	}
	type row struct {
		ID string `json:"id"`
	}
	loaded := []string{}
	n, ok := rows(body.Loaded, func(m *row) {
		if m.ID != "" {
			loaded = append(loaded, m.ID)
		}
	})
	if ok && n <= maxModels {
		f.Loaded = loaded
		markLoaded(f)
	}
}
