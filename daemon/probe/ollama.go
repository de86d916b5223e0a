package probe

import (
	"bytes"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe/intermediary"
	"github.com/providerd/providerd/store/provider"
)

// ollama is a local Ollama (server/routes.go and api/types.go of ollama/ollama).
// /api/version answers from memory, whatever the models do; /api/ps waits for the
// scheduler's lock, which a loading model can hold.
var ollama = kind{
	Kind: config.Kind{
		Name:     "ollama",
		Type:     provider.Local,
		BaseURL:  "http://127.0.0.1:11434",
		AddrEnv:  "OLLAMA_HOST",
		ReadAddr: ollamaHost,
		OddAddr:  oddOllamaHost,
		OpenAI:   "/v1",
		Default:  true,
		Hints: provider.Hints{
			provider.ConnectionRefused: "start it: ollama serve",
			provider.NoModels:          "pull a model: ollama pull qwen3:8b",
			provider.ModelMissing:      "pull the missing model: ollama pull {model}; or correct models in the configuration",
		},
	},
	title:   "Ollama",
	many:    "server/routes.go of ollama/ollama: an http.Server of Go",
	ownedBy: "library",
	path:    "/api/version",
	accept:  ollamaVersion,
	except:  ollamaForbidden,
	facts: []fact{
		{path: "/api/tags", read: ollamaTags},
		{path: "/api/ps", read: ollamaLoaded, silence: "a model is loading"},
	},
	sign:  sign{"/api/version", ollamaVersion},
	marks: func(a *answer) bool { return bytes.HasPrefix(a.body, []byte("Ollama is running")) },
}

// ollamaVersion rejects imitations that name themselves: KoboldCpp has the page too, with a
// version that is not its own.
func ollamaVersion(a *answer) (Facts, bool) {
	var body struct {
		Version string `json:"version"`
	}
	ok := a.decode(&body) && body.Version != "" && !isKobold(a)
	return Facts{Version: body.Version}, ok
}

// ollamaForbidden: a server on loopback refuses, with an empty body, a Host that is neither
// a local address nor a local name. Its answer does not name it. Behind a proxy, the Host
// is what the proxy sends.
func ollamaForbidden(a *answer) finding {
	if a.status != 403 || len(bytes.TrimSpace(a.body)) > 0 {
		return finding{}
	}
	if who := intermediary.Front(a.header); who != "" {
		return finding{
			saw:    provider.Intermediary,
			detail: "403 Forbidden through " + who + ": it refuses this machine, or sends Ollama a host name that Ollama refuses",
			hint:   "check " + who + " at {endpoint}: it must let this machine through and send Ollama a host name that Ollama accepts (nginx: proxy_set_header Host localhost:11434)",
		}
	}
	return finding{
		saw:    provider.Forbidden,
		detail: "it refuses the host name " + a.request.URL.Host + ": OLLAMA_HOST of the server does not allow it",
		hint:   "Ollama refused the Host header: set OLLAMA_HOST where Ollama runs, or use the address it listens on",
	}
}

// ollamaModel is a row of /api/tags and of /api/ps.
type ollamaModel struct {
	Name    string `json:"name"`
	Size    int64  `json:"size"`
	Context int64  `json:"context_length"` // in /api/ps: the one that it was loaded with
	Details struct {
		Family       string `json:"family"`
		Quantization string `json:"quantization_level"`
		Context      int64  `json:"context_length"`
	} `json:"details"`
}

func ollamaTags(a *answer, f *Facts) {
	models := []provider.Model{}
	n, ok := modelRows(a, func(row *ollamaModel) {
		models = append(models, provider.Model{
			ID:            row.Name,
			Size:          max(row.Size, 0),
			Family:        row.Details.Family,
			Quantization:  row.Details.Quantization,
			ContextLength: max(row.Details.Context, 0),
		})
	})
	if ok && n <= maxModels {
		f.Models = models
	}
}

func ollamaLoaded(a *answer, f *Facts) {
	loaded, context := []string{}, map[string]int64{}
	if _, ok := modelRows(a, func(row *ollamaModel) {
		loaded = append(loaded, row.Name)
		context[row.Name] = row.Context
	}); !ok {
		return
	}
	f.Loaded = loaded
	markLoaded(f)
	for i := range f.Models {
		if m := &f.Models[i]; m.ContextLength == 0 { // older versions do not list it
			m.ContextLength = max(context[m.ID], 0)
		}
	}
}
