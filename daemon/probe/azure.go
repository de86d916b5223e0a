package probe

import (
	"net/http"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// azureOpenAI is a resource of Azure OpenAI
// (learn.microsoft.com/rest/api/azureopenai/models/list). Each has a host of its own, so
// base_url must be given, or be in the variable that OpenAI's libraries read
// (openai/openai-python src/openai/lib/azure.py). Its list holds the models that the
// resource may use, and does not say which of them are deployed. Clients of OpenAI's API
// use /openai/v1 (learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle).
var azureOpenAI = kind{
	Kind: config.Kind{
		Name:      "azure-openai",
		Type:      provider.Cloud,
		Example:   azureExample,
		AddrEnv:   "AZURE_OPENAI_ENDPOINT",
		OpenAI:    "/openai/v1",
		KeyEnv:    []string{"AZURE_OPENAI_API_KEY"},
		KeyNeeded: true,
		Check:     beforeSegment("openai"),
	},
	title:     "Azure OpenAI",
	path:      "/openai/models?api-version=2024-10-21",
	authorize: func(h http.Header, key string) { h.Set("Api-Key", key) },
	accept:    openaiList,
}

const azureExample = "https://my-resource.openai.azure.com"
