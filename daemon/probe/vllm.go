package probe

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// vllm is vLLM's OpenAI-compatible server (vllm/entrypoints of vllm-project/vllm,
// docs.vllm.ai). /health answers 200 without a body if the engine is alive; if it is dead,
// 503 without a body, or 500 in older versions. It still answers 200 while the engine
// hangs, so /metrics is checked too. The key guards only what is below /v1
// (docs.vllm.ai/en/stable/usage/security). The port is open only once the model is loaded.
var vllm = kind{
	Kind: config.Kind{
		Name:    "vllm",
		Type:    provider.Local,
		BaseURL: "http://127.0.0.1:8000",
		OpenAI:  "/v1",
		KeyEnv:  []string{"VLLM_API_KEY"},
		Hints: provider.Hints{
			provider.ConnectionRefused: "start it, or wait while it loads: vllm serve MODEL",
			provider.Hung:              "vLLM makes no progress: look at its log, then restart it",
			provider.ModelMissing:      "serve the missing model: vllm serve {model}; or correct models in the configuration",
		},
	},
	title:      "vLLM",
	many:       "vllm/entrypoints/launcher.py of vllm-project/vllm: uvicorn",
	ownedBy:    "vllm",
	path:       "/health",
	accept:     silentlyOK,
	except:     vllmEngine,
	confirm:    confirmVLLM,
	reconsider: nameOther,
	proof:      "/v1/models",
	facts: []fact{
		{path: "/v1/models", read: served, guarded: true},
		{path: "/version", read: vllmVersion},
	},
	watch: watchMetrics(&vllmMetrics),
	sign:  sign{listPage, isVLLMList},
}

// vllmEngine: EngineDeadError becomes 503 in /health, and became 500 in the
// launcher's handlers before 0.11, both without a body. While the number of
// engines changes (elastic_ep/middleware.py) all pages are 503.
func vllmEngine(a *answer) finding {
	switch {
	case a.request.path != "/health" || a.status != 500 && a.status != 503:
		return finding{}
	case len(bytes.TrimSpace(a.body)) == 0:
		return finding{saw: provider.EngineDead, detail: a.statusLine() + " from /health: vLLM's engine is dead"}
	case strings.HasPrefix(a.complaint().Message, "The model is currently scaling"):
		return finding{saw: provider.Loading, detail: "scaling: the number of its engines is changing"}
	}
	return finding{}
}

// confirmVLLM recognises it by its list or, if a key guards that, by its refusal and its
// version. Without the key it cannot be used.
func confirmVLLM(ctx context.Context, r *run, _ *answer) finding {
	list := r.get(ctx, "/v1/models")
	if list.err == nil && list.status == 401 && list.complaint().Message == "Unauthorized" {
		if other := confirmAt("/version", isVLLMVersion)(ctx, r, list); other.saw != "" {
			return other
		}
		return r.general(list)
	}
	found := r.judge(list, isVLLMList)
	if found.saw == provider.OK {
		return finding{}
	}
	return found
}

func isVLLMList(a *answer) (Facts, bool) {
	list, ok := readList(a)
	return Facts{}, ok && list.owner == "vllm"
}

func isVLLMVersion(a *answer) bool {
	var f Facts
	vllmVersion(a, &f)
	return f.Version != ""
}

func vllmVersion(a *answer, f *Facts) {
	var body struct {
		Version string `json:"version"`
	}
	if a.decode(&body) {
		f.Version = body.Version
	}
}

// vllmMetrics are those of vllm/v1/metrics/loggers.py and, before 0.11, of
// vllm/engine/metrics.py. The cache fills during a long prompt, before the first token. All
// move once a step, and a step of many prompt tokens takes long without a GPU
// (vllm-project/vllm, issues 6790 and 7722). The number of running or waiting requests is
// no progress: a scheduler that can start none of them counts them all the same (issue
// 35541). Nor are callers that give up.
var vllmMetrics = engineMetrics{
	says:   "/health says ok",
	prefix: "vllm",
	roles: map[string]role{
		"num_requests_running": running,
		"num_requests_waiting": waiting,
		"num_requests_swapped": waiting, // before 0.11
		"prompt_tokens":        moves,
		"generation_tokens":    moves,
		"request_success":      moves,
		"kv_cache_usage_perc":  moves,
		"gpu_cache_usage_perc": moves, // its name before 0.11
		"cpu_cache_usage_perc": moves, // before 0.11
	},
	except:   `finished_reason="abort"`,
	patience: 15 * time.Second,
}
