package probe

import (
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// openai is OpenAI's API (platform.openai.com/docs/api-reference/models).
var openai = kind{
	Kind: config.Kind{
		Name:    "openai",
		Type:    provider.Cloud,
		BaseURL: "https://api.openai.com/v1",
		AddrEnv: "OPENAI_BASE_URL",
		// openai/openai-python before 1.0 (discussions/742).
		OldAddrEnv: "OPENAI_API_BASE",
		OpenAI:     "/",
		KeyEnv:     []string{"OPENAI_API_KEY"},
		OwnKey:     openaiKey,
		KeyNeeded:  true,
		Default:    true,
		// The page is incident.io's, in Statuspage's format. These components are the API's
		// two ways to a model; ChatGPT and Codex are others.
		Feed: config.Feed{
			URL: "https://status.openai.com/api/v2/summary.json", Format: config.Statuspage,
			Components: []string{"Chat Completions", "Responses"},
		},
	},
	title:  "OpenAI",
	path:   "/models",
	accept: openaiList,
}

// openaiCompatible is any other server or vendor that has OpenAI's model list.
var openaiCompatible = kind{
	Kind: config.Kind{
		Name:   "openai-compatible",
		Type:   provider.Local,
		OpenAI: "/",
	},
	title:   "an OpenAI-compatible server",
	path:    "/models",
	accept:  openaiList,
	except:  openaiExcept,
	anybody: true,
}

func openaiList(a *answer) (Facts, bool) {
	list, ok := readList(a)
	return list.facts(), ok
}

// openaiExcept: llama.cpp has such a list, and answers on every path that it is loading. A
// base_url that is only a host usually lacks its /v1; LM Studio then answers 200.
func openaiExcept(a *answer) finding {
	if found := llamaLoading(a); found.saw != "" {
		return found
	}
	what := ""
	switch {
	case a.request.URL.Path != "/models":
		return finding{}
	case isLMStudio(a):
		what = "LM Studio answers, but has no /models"
	case a.status == 404:
		what = "404 Not Found at /models"
	default:
		return finding{}
	}
	u := a.request.URL
	return finding{
		saw:    provider.WrongService,
		detail: what + ": try base_url = \"" + u.Scheme + "://" + u.Host + "/v1\"",
	}
}
