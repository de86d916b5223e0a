package probe

import (
	"context"
	"strings"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// textgen is the API of text-generation-webui (modules/api of
// oobabooga/text-generation-webui). Its key, if it has one, guards all of it. Many servers
// answer {"status":"ok"}, so there must be a model list too. Since March 2026 that holds
// only the loaded model, before that all on disk.
var textgen = kind{
	Kind: config.Kind{
		Name:    "textgen",
		Type:    provider.Local,
		BaseURL: "http://127.0.0.1:5000",
		OpenAI:  "/v1",
		Hints: provider.Hints{
			provider.ConnectionRefused: "start it: python server.py --api",
			provider.NoModels:          "load a model in its page, or start it with --model",
		},
	},
	title:  "text-generation-webui",
	many:   "modules/api/script.py of oobabooga/text-generation-webui, in older versions extensions/openai/script.py: uvicorn",
	path:   "/v1/internal/health",
	accept: textgenHealth,
	except: textgenExcept,
	sign:   sign{"/v1/internal/health", textgenHealth},
	confirm: func(ctx context.Context, r *run, _ *answer) finding {
		found := r.judge(r.get(ctx, "/v1/models"), unownedList)
		if found.saw == provider.OK {
			return finding{}
		}
		return found
	},
	facts: []fact{{path: "/v1/models", read: readModels}},
}

func textgenHealth(a *answer) (Facts, bool) {
	var body struct {
		Status string `json:"status"`
	}
	return Facts{}, a.decode(&body) && body.Status == "ok"
}

// textgenExcept: on a Mac, the system itself listens on port 5000.
func textgenExcept(a *answer) finding {
	if strings.HasPrefix(a.header.Get("Server"), "AirTunes/") {
		return finding{
			saw:    provider.WrongService,
			detail: "macOS's AirPlay Receiver answers, not text-generation-webui: switch it off, or start the server with --api-port",
		}
	}
	return hostRefused(a, "start it with --listen, or use localhost or 127.0.0.1 in base_url")
}

// hostRefused: a server that is not set up to serve others refuses a Host that it does not
// trust. The hint is only about that: any other 403 may be a proxy's.
func hostRefused(a *answer, hint string) finding {
	if a.status != 400 && a.status != 403 || a.complaint().Message != "Invalid host header" {
		return finding{}
	}
	return finding{saw: provider.Forbidden, detail: "it refuses the host name " + a.request.URL.Host, hint: hint}
}
