package probe

import (
	"context"
	"slices"
	"strings"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// litellm is the proxy of LiteLLM (docs.litellm.ai/docs/proxy/health and
// litellm/proxy/health_endpoints of BerriAI/litellm). /health is never requested: it calls
// every model behind the proxy, which costs money. /health/readiness covers its database;
// "Not connected" there means that none is configured. Both are public, so the model list
// proves the key, or that none is needed.
var litellm = kind{
	Kind: config.Kind{
		Name:    "litellm",
		Type:    provider.Local,
		BaseURL: "http://127.0.0.1:4000",
		OpenAI:  "/v1",
		KeyEnv:  []string{"LITELLM_PROXY_API_KEY", "LITELLM_MASTER_KEY"},
		Hints: provider.Hints{
			provider.ConnectionRefused: "start it: litellm --config config.yaml",
			provider.NoModels:          "add a model to model_list in LiteLLM's config.yaml",
			provider.ServerError:       "look at LiteLLM's log and at its database",
		},
	},
	title:    "LiteLLM",
	many:     "litellm/proxy/proxy_cli.py of BerriAI/litellm: uvicorn",
	except:   litellmExcept,
	gateway:  true,
	marks:    isLiteLLM,
	sign:     sign{"/health/liveliness", litellmAlive},
	peculiar: newLiteLLM,
}

func isLiteLLM(a *answer) bool {
	for name := range a.header {
		if strings.HasPrefix(name, "X-Litellm-") {
			return true
		}
	}
	_, alive := litellmAlive(a)
	return alive
}

// newLiteLLM asks whether the process is alive and can serve and, with the facts or after a
// refusal, whether it serves us. Only a clear refusal of the model list counts.
func newLiteLLM(*config.Provider) (asker, error) {
	served := false
	return func(ctx context.Context, r *run) finding {
		found := r.judge(r.get(ctx, "/health/liveliness"), litellmAlive)
		if found.saw != provider.OK {
			return found
		}
		latency := r.latency
		defer func() { r.latency = latency }()
		found = r.judge(r.get(ctx, "/health/readiness"), litellmReady)
		if found.saw != provider.OK || served && !r.facts {
			return found
		}
		list := r.get(ctx, "/v1/models")
		if served = list.err == nil; !served {
			return found
		}
		switch listed := r.judge(list, openaiList); listed.saw {
		case provider.OK:
			found.facts.Models, found.facts.Note = listed.facts.Models, listed.facts.Note
		case provider.Unauthorized, provider.Forbidden, provider.QuotaExhausted:
			served = false
			return listed
		}
		return found
	}, nil
}

func litellmAlive(a *answer) (Facts, bool) {
	var said string
	return Facts{}, a.decode(&said) && said == "I'm alive!"
}

// litellmReady: since 1.84 the version is not public.
func litellmReady(a *answer) (Facts, bool) {
	var body struct {
		Status  string `json:"status"`
		Version string `json:"litellm_version"`
	}
	ok := a.decode(&body) && (body.Status == "healthy" || body.Status == "connected")
	return Facts{Version: body.Version}, ok
}

// litellmExcept: before May 2026 a lost database came with 200. Some refusals of a key come
// with 400 (ProxyErrorTypes in litellm/proxy/_types.py), which the rules know. Without a
// database, any key except the master key is no_db_connection.
func litellmExcept(a *answer) finding {
	var body struct {
		Status string `json:"status"`
		DB     string `json:"db"`
	}
	if a.decode(&body) {
		switch {
		case a.status == 503 && body.Status == "shutting_down":
			return finding{saw: provider.ShuttingDown, detail: "it is shutting down"}
		case body.DB == "disconnected":
			return finding{saw: provider.ServerError, detail: "it has lost its database, which holds its keys and budgets"}
		}
	}
	if a.status < 400 {
		return finding{}
	}
	if c := a.complaint(); slices.Contains(c.Codes, "no_db_connection") {
		return finding{saw: provider.Unauthorized, detail: a.statusLine() + ": " + c.Message}
	}
	return finding{}
}
