package provider

import "strings"

// A clientRow is how the programs that use a kind are told where it is.
type clientRow struct {
	openai string // what a client of OpenAI's API puts after the endpoint; noOpenAI where the kind has no such API
	env    string // the variable in which its vendor's own programs look for the endpoint, if there is one
	keyEnv string // the vendor's variable for the key, if there is one
}

// noOpenAI: another API is all that the endpoint has.
const noOpenAI = "-"

// clientRows has a row for each kind that serves models. Its sources are the
// vendors' pages on OpenAI's SDK: platform.claude.com/docs/en/api/openai-sdk,
// ai.google.dev/gemini-api/docs/openai, learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
// for /openai/v1; Cohere's is on a host of its own (docs.cohere.com/docs/compatibility-api),
// and Triton has one in another program.
var clientRows = map[string]clientRow{
	"ollama":            {"/v1", "OLLAMA_HOST", ""},
	"lmstudio":          {"/v1", "", "LM_API_TOKEN"},
	"llamacpp":          {"/v1", "", "LLAMA_API_KEY"},
	"vllm":              {"/v1", "", "VLLM_API_KEY"},
	"sglang":            {"/v1", "", ""},
	"tgi":               {"/v1", "", ""},
	"localai":           {"/v1", "", "LOCALAI_API_KEY"},
	"koboldcpp":         {"/v1", "", ""},
	"textgen":           {"/v1", "", ""},
	"jan":               {"/v1", "", ""},
	"litellm":           {"/v1", "", "LITELLM_PROXY_API_KEY"},
	"nim":               {"/v1", "", ""},
	"triton":            {noOpenAI, "", ""},
	"openai-compatible": {"", "", ""},
	"openai":            {"", "", "OPENAI_API_KEY"},
	"anthropic":         {"/v1", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"},
	"gemini":            {"/v1beta/openai", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_API_KEY"},
	"azure-openai":      {"/openai/v1", "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY"},
	"mistral":           {"", "", "MISTRAL_API_KEY"},
	"groq":              {"", "", "GROQ_API_KEY"},
	"openrouter":        {"", "", "OPENROUTER_API_KEY"},
	"deepseek":          {"", "", "DEEPSEEK_API_KEY"},
	"xai":               {"", "", "XAI_API_KEY"},
	"cohere":            {noOpenAI, "", "COHERE_API_KEY"},
	"together":          {"", "", "TOGETHER_API_KEY"},
	"fireworks":         {"", "", "FIREWORKS_API_KEY"},
	"cerebras":          {"", "", "CEREBRAS_API_KEY"},
	"perplexity":        {"", "", "PERPLEXITY_API_KEY"},
	"huggingface":       {"", "", "HF_TOKEN"},
	"nvidia":            {"", "", "NVIDIA_API_KEY"},
	"moonshot":          {"", "", "MOONSHOT_API_KEY"},
	"zai":               {"", "", "ZAI_API_KEY"},
}

// A Variable is one of a program's environment.
type Variable struct{ Name, Value string }

// ClientURL is what a program that uses a provider takes for its base URL: where
// OpenAI's API is, or where there is none, its own.
func ClientURL(kind, endpoint string) string {
	if base := openAIBase(kind, endpoint); base != "" {
		return base
	}
	return encoded(endpoint)
}

// ClientVariables are what a program that uses a provider finds in its environment:
// the address in the variables that such programs know, and the name of the variable
// in which the vendor's own look for the key, never a key. A value is a word that no
// shell reads anything into.
func ClientVariables(id, kind, endpoint string) []Variable {
	vars := []Variable{{"PROVIDERD_PROVIDER", encoded(id)}, {"PROVIDERD_KIND", encoded(kind)}}
	row := clientRows[kind]
	if base := openAIBase(kind, endpoint); base != "" {
		vars = append(vars, Variable{"OPENAI_BASE_URL", base})
	}
	if row.env != "" {
		vars = append(vars, Variable{row.env, encoded(endpoint)})
	}
	if row.keyEnv != "" {
		vars = append(vars, Variable{"PROVIDERD_KEY_ENV", row.keyEnv})
	}
	return vars
}

// openAIBase is where a kind has OpenAI's API, empty where it has none. Of a kind
// that this version does not know, that is taken to be its endpoint.
func openAIBase(kind, endpoint string) string {
	row := clientRows[kind]
	if row.openai == noOpenAI {
		return ""
	}
	base := strings.TrimSuffix(encoded(endpoint), "/")
	return strings.TrimSuffix(base, row.openai) + row.openai // base_url may have it already
}

// encoded has every byte of a URL percent-encoded that a shell could read for more
// than itself, or split at; in a URL that means the same.
func encoded(url string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(url) {
		switch c := url[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~:/[]@%+,=", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// Lists reports whether a model is among those that a provider of that kind lists.
// Ollama means NAME:latest by NAME.
func Lists(kind string, models []Model, name string) bool {
	for i := range models {
		if id := models[i].ID; id == name || kind == "ollama" && id == name+":latest" {
			return true
		}
	}
	return false
}
