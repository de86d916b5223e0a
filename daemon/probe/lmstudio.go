package probe

import (
	"bytes"
	"context"
	"strings"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe/transport"
	"github.com/providerd/providerd/store/provider"
)

// lmstudio is LM Studio's local server (lmstudio.ai/docs/developer). It answers unknown
// paths with 200 and an error, and logs each of them, so a Prober remembers which of the
// model lists the server has. POST requests load models and are never sent.
var lmstudio = kind{
	Kind: config.Kind{
		Name:    "lmstudio",
		Type:    provider.Local,
		BaseURL: "http://127.0.0.1:1234",
		OpenAI:  "/v1",
		KeyEnv:  []string{"LM_API_TOKEN"},
		Default: true,
		Hints: provider.Hints{
			provider.ConnectionRefused: "start it: lms server start",
			provider.NoModels:          "download a model: lms get",
		},
	},
	title:    "LM Studio",
	ownedBy:  "organization_owner",
	marks:    isLMStudio,
	sign:     sign{"/api/v0/models", lmstudioV0},
	except:   lmstudioKey,
	peculiar: newLMStudio,
}

// lmstudioLists are the model lists, newest first: since 0.4.0, since 0.3.6, always.
var lmstudioLists = [...]struct {
	path   string
	accept func(*answer) (Facts, bool)
}{
	{"/api/v1/models", lmstudioV1},
	{"/api/v0/models", lmstudioV0},
	{"/v1/models", lmstudioOpenAI},
}

// newLMStudio asks for the list that worked last, and for an older one only if LM Studio
// itself says that it does not know the path.
func newLMStudio(*config.Provider) (asker, error) {
	known := 0
	return func(ctx context.Context, r *run) finding {
		for tries := 0; ; tries++ {
			list := &lmstudioLists[known]
			a := r.get(ctx, list.path)
			if a.err != nil && !transport.IsTimeout(a.err) {
				known = 0 // another version might come back
			}
			if a.err != nil || !isLMStudio(a) {
				return r.judge(a, list.accept)
			}
			known = (known + 1) % len(lmstudioLists)
			if tries == len(lmstudioLists)-1 {
				return lmstudioLost(r)
			}
		}
	}, nil
}

// lmstudioLost: it knows none of the lists, most likely because base_url contains the path
// that other clients want there.
func lmstudioLost(r *run) finding {
	detail := "LM Studio answers, but knows none of its model lists"
	if r.belowV1() {
		detail += leaveV1
	}
	return finding{saw: provider.BadResponse, detail: detail}
}

// isLMStudio recognises its answer to an unknown path.
func isLMStudio(a *answer) bool {
	return bytes.Contains(a.body, []byte("Unexpected endpoint")) && strings.HasPrefix(a.complaint().Message, "Unexpected endpoint or method")
}

// lmstudioKey: a code says that the key is missing or wrong.
func lmstudioKey(a *answer) finding {
	if !bytes.Contains(a.body, []byte("invalid_api_key")) {
		return finding{}
	}
	c := a.complaint()
	for _, code := range c.Codes {
		if code == "invalid_api_key" {
			return finding{saw: provider.Unauthorized, detail: c.Message}
		}
	}
	return finding{}
}

// lmstudioV1 reads models[] with their loaded instances.
func lmstudioV1(a *answer) (Facts, bool) {
	type row struct {
		Key          string `json:"key"`
		Size         int64  `json:"size_bytes"`
		Architecture string `json:"architecture"`
		Context      int64  `json:"max_context_length"`
		Quantization struct {
			Name string `json:"name"`
		} `json:"quantization"`
		Instances []struct{} `json:"loaded_instances"`
	}
	f := Facts{Models: []provider.Model{}, Loaded: []string{}}
	n, ok := modelRows(a, func(m *row) {
		if m.Key == "" {
			return
		}
		loaded := len(m.Instances) > 0
		f.add(provider.Model{ID: m.Key, Size: max(m.Size, 0), Family: m.Architecture,
			Quantization: m.Quantization.Name, ContextLength: max(m.Context, 0), Loaded: &loaded})
	})
	return f.limited(n), ok && (n == 0 || len(f.Models) > 0)
}

// lmstudioV0 reads data[] with their state.
func lmstudioV0(a *answer) (Facts, bool) {
	type row struct {
		ID           string `json:"id"`
		State        string `json:"state"`
		Architecture string `json:"arch"`
		Quantization string `json:"quantization"`
		Context      int64  `json:"max_context_length"`
	}
	f := Facts{Models: []provider.Model{}, Loaded: []string{}}
	n, ok := dataRows(a, func(m *row) {
		if m.ID == "" || m.State == "" {
			return
		}
		loaded := m.State == "loaded"
		f.add(provider.Model{ID: m.ID, Family: m.Architecture,
			Quantization: m.Quantization, ContextLength: max(m.Context, 0), Loaded: &loaded})
	})
	return f.limited(n), ok && (n == 0 || len(f.Models) > 0)
}

// lmstudioOpenAI reads the list that has only names.
func lmstudioOpenAI(a *answer) (Facts, bool) {
	list, ok := readList(a)
	return list.facts(), ok
}
