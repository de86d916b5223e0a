package probe

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// vllm is vLLM's OpenAI-compatible server (vllm/entrypoints of vllm-project/vllm,
// docs.vllm.ai). /health says with 200 and no body that the engine lives; a dead
// one is 503 without a body, or 500 before that. It keeps saying 200 while the
// engine hangs, so /metrics is looked at too. A key guards what is below /v1 and
// nothing else here (docs.vllm.ai/en/stable/usage/security). The port is open only
// once the model is loaded.
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
			provider.ModelMissing:      "start it with the missing model, vllm serve MODEL, or correct models in the configuration",
		},
	},
	title:      "vLLM",
	ownedBy:    "vllm",
	path:       "/health",
	accept:     silentlyOK,
	except:     vllmEngine,
	confirm:    confirmVLLM,
	reconsider: nameOther,
	proof:      "/v1/models",
	facts: []fact{
		{path: "/v1/models", read: served, refused: "it wants a key, and none is configured"},
		{path: "/version", read: vllmVersion},
	},
	watch: watchVLLM,
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
	case strings.HasPrefix(a.complaint().message, "The model is currently scaling"):
		return finding{saw: provider.Loading, detail: "scaling: the number of its engines is being changed"}
	}
	return finding{}
}

// confirmVLLM knows it by its list or, where a key guards that, by its refusal
// and its version.
func confirmVLLM(ctx context.Context, r *run, _ *answer) finding {
	list := r.get(ctx, "/v1/models")
	if list.err == nil && list.status == 401 && list.complaint().message == "Unauthorized" {
		return confirmAt("/version", isVLLMVersion)(ctx, r, list)
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

// vllmStall is how long an engine may have requests in hand and show no sign of
// work. The metrics move once a step, and a step of many prompt tokens takes long
// where there is no GPU (vllm-project/vllm, issues 6790 and 7722).
const vllmStall = 15 * time.Second

// watchVLLM remembers how far the engine had come, and when it came there. Metrics
// that do not come tell nothing, and so do not say either that an engine moves again.
// While requests run they are looked at with every probe.
func watchVLLM() watcher {
	var last vllmWork
	var since time.Time
	var ill finding
	return func(ctx context.Context, r *run) (finding, bool) {
		a := r.get(ctx, "/metrics")
		if a.err != nil || a.status >= 500 || !a.whole() {
			return ill, ill.saw != ""
		}
		var work vllmWork
		if a.status == 200 {
			work = readVLLMWork(a.body)
		}
		now := r.p.now()
		if work.running == 0 || work != last {
			last, since = work, now
		}
		ill = finding{}
		if stalled := now.Sub(since); work.running > 0 && stalled >= vllmStall {
			ill = finding{saw: provider.Hung, detail: fmt.Sprintf(
				"/health says ok, and no token came of the %g running requests for %s", work.running, stalled.Round(time.Second))}
		}
		return ill, work.running > 0
	}
}

// vllmWork is what an engine has in hand, and a digest of how far it has come.
type vllmWork struct {
	running  float64
	progress uint64
}

// vllmSigns are the metrics (vllm/v1/metrics/loggers.py) that move when an engine
// works: tokens, and, during a long prompt that yields none yet, the cache that it
// fills.
var vllmSigns = map[string]bool{
	"vllm:num_requests_running":    true,
	"vllm:num_requests_waiting":    true,
	"vllm:prompt_tokens_total":     true,
	"vllm:generation_tokens_total": true,
	"vllm:kv_cache_usage_perc":     true,
	"vllm:gpu_cache_usage_perc":    true, // its name before 0.11
}

// readVLLMWork reads Prometheus' text format, of all engines and models together.
func readVLLMWork(page []byte) vllmWork {
	var w vllmWork
	digest := fnv.New64a()
	for line := range bytes.Lines(page) {
		sample := string(bytes.TrimSpace(line))
		name, _, _ := strings.Cut(sample, "{")
		name, _, _ = strings.Cut(name, " ")
		value, err := strconv.ParseFloat(sample[strings.LastIndexByte(sample, ' ')+1:], 64)
		if !vllmSigns[name] || err != nil || math.IsNaN(value) {
			continue
		}
		if name == "vllm:num_requests_running" {
			w.running += max(value, 0)
		}
		_, _ = digest.Write(binary.LittleEndian.AppendUint64([]byte(name), math.Float64bits(value)))
	}
	w.progress = digest.Sum64()
	return w
}
