package probe

import (
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// sglang is SGLang's runtime (python/sglang/srt/entrypoints/http_server.py of
// sgl-project/sglang). /health and /health_generate generate a token, so neither is
// requested: the model list answers from memory. A key guards everything except those two.
// /get_server_info shows the server's arguments, including its keys (server_args.py), so
// only what is named here is kept.
var sglang = kind{
	Kind: config.Kind{
		Name:    "sglang",
		Type:    provider.Local,
		BaseURL: "http://127.0.0.1:30000",
		OpenAI:  "/v1",
		Hints: provider.Hints{
			provider.ConnectionRefused: "start it, or wait while it loads: python3 -m sglang.launch_server --model-path MODEL",
			provider.Hung:              "SGLang makes no progress: look at its log, then restart it",
		},
	},
	title:      "SGLang",
	many:       "python/sglang/srt/entrypoints/http_server.py of sgl-project/sglang: uvicorn",
	ownedBy:    "sglang",
	path:       "/v1/models",
	accept:     sglangList,
	except:     sglangStarting,
	reconsider: nameOther,
	sign:       sign{listPage, sglangList},
	facts: []fact{
		{path: "/get_model_info", read: sglangModel},
		{path: "/get_server_info", read: sglangServer, silence: "its scheduler does not answer", private: true},
	},
	watch: watchMetrics(&sglangMetrics),
}

func sglangList(a *answer) (f Facts, ok bool) {
	list, ok := readList(a)
	if !ok || list.owner != "sglang" {
		return f, false
	}
	served(a, &f)
	return f, true
}

// sglangStarting: 503 without a body is its answer while it starts and stops.
func sglangStarting(a *answer) finding {
	if _, empty := silentlyOK(a); a.status != 503 || !empty {
		return finding{}
	}
	return finding{saw: provider.Loading, detail: "503 Service Unavailable: it is starting or stopping"}
}

// sglangModel has the architecture, which adapters share with their base.
func sglangModel(a *answer, f *Facts) {
	var body struct {
		Type string `json:"model_type"`
	}
	if a.decode(&body) {
		for i := range f.Models {
			f.Models[i].Family = body.Type
		}
	}
}

func sglangServer(a *answer, f *Facts) {
	var body struct {
		Version      string `json:"version"`
		Quantization string `json:"quantization"`
	}
	if a.decode(&body) {
		f.Version = body.Version
		for i := range f.Models {
			f.Models[i].Quantization = body.Quantization
		}
	}
}

// sglangMetrics are those of python/sglang/srt/observability/metrics_collector.py, which
// /metrics shows with --enable-metrics; some collectors change the colon in their names to
// an underscore. The gauges of the scheduler are set at each prompt step, at every 40th of
// generation, and within 30 seconds of the last request's end: until then they count
// requests that are finished (scheduler_metrics_mixin.py; sgl-project/sglang, issue 26495).
// So the patience is longer than that.
var sglangMetrics = engineMetrics{
	says:   "/v1/models answers",
	prefix: "sglang",
	roles: map[string]role{
		"num_running_reqs":                  running,
		"num_queue_reqs":                    waiting,
		"num_grammar_queue_reqs":            waiting,
		"num_prefill_bootstrap_queue_reqs":  waiting,
		"num_prefill_prealloc_queue_reqs":   waiting, // its name before
		"num_prefill_inflight_queue_reqs":   waiting,
		"num_decode_prealloc_queue_reqs":    waiting,
		"num_decode_transfer_queue_reqs":    waiting,
		"prompt_tokens":                     moves,
		"generation_tokens":                 moves,
		"cached_tokens":                     moves,
		"realtime_tokens":                   moves,
		"num_used_tokens":                   moves,
		"token_usage":                       moves,
		"decode_sum_seq_lens":               moves,
		"gen_throughput":                    moves,
		"time_to_first_token_seconds_count": moves,
		"e2e_request_latency_seconds_count": moves,
	},
	patience: time.Minute,
}
