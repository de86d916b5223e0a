package probe

import (
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// jan is Jan's local server (jan.ai/docs/local-api and
// src-tauri/src/core/server/proxy.rs of janhq/jan). It wants the key that a person
// chose in its settings. The list holds the models that run.
var jan = kind{
	Kind: config.Kind{
		Name:    "jan",
		Type:    provider.Local,
		BaseURL: "http://127.0.0.1:1337/v1",
	},
	title:  "Jan",
	path:   "/models",
	accept: unownedList,
	except: hostRefused,
	sign:   sign{listPage, nobodys}, // it refuses as anybody does
}
