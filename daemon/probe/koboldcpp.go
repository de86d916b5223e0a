package probe

import (
	"bytes"
	"context"
	"strings"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// koboldcpp is KoboldCpp (koboldcpp.py of LostRuins/koboldcpp), which opens its port once
// the model is loaded. Both pages are public; the name of its only model is hidden from
// callers without the password. A router in front of it (--routermode) loads models for the
// prompts that name them, never for a GET.
var koboldcpp = kind{
	Kind: config.Kind{
		Name:    "koboldcpp",
		Type:    provider.Local,
		BaseURL: "http://127.0.0.1:5001",
		OpenAI:  "/v1",
		Hints: provider.Hints{
			provider.ConnectionRefused: "start it: koboldcpp --model MODEL.gguf; its port opens once the model is loaded",
			provider.NoModels:          "start it with a model: koboldcpp --model MODEL.gguf",
			provider.Unauthorized:      "the key is missing or was rejected: replace it with the one given to koboldcpp's --password, then: providerctl reload",
		},
	},
	title:   "KoboldCpp",
	ownedBy: "koboldcpp",
	except:  koboldReloading,
	marks:   isKobold,
	sign:    sign{"/api/extra/version", koboldVersion},
	peculiar: func(*config.Provider) (asker, error) {
		return askKobold, nil
	},
}

// isKobold recognises the Server header: the newest, and that of versions before 2025.
func isKobold(a *answer) bool {
	server := a.header.Get("Server")
	return strings.HasPrefix(server, "KoboldCppServer") || strings.HasPrefix(server, "ConcedoLlamaForKoboldServer")
}

// koboldReloading: the router's page while no server is behind it.
func koboldReloading(a *answer) finding {
	if a.status != 502 || !bytes.Contains(a.body, []byte("KoboldCpp is not available")) {
		return finding{}
	}
	return finding{saw: provider.Loading, detail: "its router is waiting for a model to load; if that takes long, the model may have crashed"}
}

// koboldAnswer is what both pages say: "KoboldCpp" or the model's name.
type koboldAnswer struct {
	Result  string `json:"result"`
	Version string `json:"version"`
	Router  bool   `json:"router"`
}

// askKobold asks for the version and for the model: the model's name decides too.
func askKobold(ctx context.Context, r *run) finding {
	a := r.get(ctx, "/api/extra/version")
	found := r.judge(a, koboldVersion)
	if found.saw != provider.OK {
		return found
	}
	latency := r.latency
	defer func() { r.latency = latency }()
	var about, model koboldAnswer
	a.decode(&about)
	if a = r.get(ctx, "/api/v1/model"); a.err != nil || a.status != 200 || !a.whole() || !a.decode(&model) {
		return found
	}
	if model.Result == "koboldcpp/protected-model" {
		return finding{saw: provider.Unauthorized, detail: koboldPassword(r)}
	}
	koboldModel(model.Result, about.Router, &found.facts)
	return found
}

func koboldVersion(a *answer) (Facts, bool) {
	var body koboldAnswer
	ok := a.decode(&body) && body.Result == "KoboldCpp"
	return Facts{Version: body.Version}, ok
}

func koboldPassword(r *run) string {
	if r.p.provider.Key.IsZero() {
		return "it wants a password, but none is configured"
	}
	return "it rejects the configured password"
}

// koboldModel: a router does not say what it has on disk, or whether the model that it
// names is in memory now.
func koboldModel(name string, router bool, f *Facts) {
	switch {
	case name == "":
	case name != "inactive" && router:
		f.add(provider.Model{ID: name})
	case name != "inactive":
		loaded := true
		f.add(provider.Model{ID: name, Loaded: &loaded})
	case router:
		f.Loaded = []string{}
		f.Note = "no model is loaded: the router loads one for the next prompt"
	default:
		f.Models, f.Loaded = []provider.Model{}, []string{}
	}
}
