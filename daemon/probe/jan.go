package probe

import (
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// jan is Jan's local server (jan.ai/docs/local-api and src-tauri/src/core/server/proxy.rs
// of janhq/jan). It wants the key chosen in its settings. The list holds the running
// models.
var jan = kind{
	Kind: config.Kind{
		Name:    "jan",
		Type:    provider.Local,
		BaseURL: "http://127.0.0.1:1337/v1",
		OpenAI:  "/",
		Hints: provider.Hints{
			provider.ConnectionRefused: "start it: Jan, Settings, Local API Server, Start Server",
			provider.NoModels:          "start a model in Jan",
			provider.Unauthorized:      "the key is missing or was rejected: replace it with the one in Jan's Settings, Local API Server, then: providerctl reload",
		},
	},
	title:  "Jan",
	many:   "src-tauri/src/core/server/proxy.rs of janhq/jan: a Server of hyper",
	path:   "/models",
	accept: unownedList,
	except: janHost,
	sign:   sign{listPage, nobodys}, // its refusal could be anybody's
}

func janHost(a *answer) finding {
	return hostRefused(a, "add the host to Trusted Hosts in Jan's Settings, Local API Server, or use 127.0.0.1 in base_url")
}
