package ctl

import (
	"slices"
	"strings"
)

// A vendor's programs look for keys and addresses in certain variables.
type vendor struct {
	kind string // the kind it belongs to; empty: none, and a child never gets its keys
	home string // the hosts of its own addresses; with a leading dot, a domain of such hosts
	// keys are the variables for the key, in the order in which the kind's programs read
	// them; a key from another variable is put into the first.
	keys []string
	// prefixes are those of the names of its other variables. Those with the word for a key
	// or an address after the prefix are its keys and addresses.
	prefixes string
	// account are variables that say which account pays: it is sent in headers to whatever
	// address is set.
	account []string
	// routes are other variables that choose where requests go, such as to a cloud's copy of
	// the models; with an underscore at the end, prefixes of such names.
	routes []string
	// spared are variables that look like the address of a model server, but are not.
	spared []string
}

// What a variable is, by its name.
type named uint8

const (
	namesNothing named = iota
	namesKey
	namesAddress
)

// Words in names of variables, between underscores.
const (
	keyWords     = "KEY KEYS APIKEY APIKEYS TOKEN PAT JWT BEARER SECRET SECRETS PASSWORD PASSWD AUTH OAUTH AUTHORIZATION CREDENTIAL CREDENTIALS HEADERS AK SK ZENAPIKEY"
	addressWords = "URL URLS URI BASE BASES HOST HOSTS SERVER ENDPOINT ENDPOINTS RESOURCE SOCKET"
)

// A variable is the name of one, in upper case: some programs read both cases, and on Windows
// there is no difference.
type variable struct {
	name   string
	speaks bool // there is the word for a key or an address after what may be a prefix
}

func newVariable(name string) variable {
	name = strings.ToUpper(name)
	_, rest, _ := strings.Cut(name, "_")
	return variable{name, rest != "" && speaks(rest) != namesNothing}
}

// names says what a variable is to the vendor's programs.
func (v *vendor) names(of variable) named {
	name := of.name
	switch {
	case v.isKey(name):
		return namesKey
	case slices.Contains(v.spared, name):
		return namesNothing
	case slices.ContainsFunc(v.routes, func(route string) bool {
		return name == route || strings.HasSuffix(route, "_") && strings.HasPrefix(name, route)
	}):
		return namesAddress
	case !of.speaks:
		return namesNothing
	}
	for end := range len(name) {
		if name[end] == '_' && isWord(v.prefixes, name[:end]) {
			if what := speaks(name[end+1:]); what != namesNothing {
				return what
			}
		}
	}
	return namesNothing
}

// speaks says what a variable is by the words of its name after the prefix.
func speaks(rest string) named {
	last := ""
	for word := range strings.SplitSeq(rest, "_") {
		if word = strings.TrimRight(word, "0123456789"); word != "" { // as in …_URL_2
			last = word
		}
		if isWord(keyWords, word) {
			return namesKey
		}
	}
	if isWord(addressWords, last) || strings.HasSuffix(rest, "BASE_PATH") || strings.HasSuffix(rest, "RESOURCE_NAME") || strings.HasSuffix(rest, "INSTANCE_NAME") {
		return namesAddress
	}
	return namesNothing
}

// isWord reports whether a word is among words that are separated by white space.
func isWord(words, word string) bool {
	for at := 0; word != ""; {
		next := strings.Index(words[at:], word)
		if next < 0 {
			return false
		}
		at += next
		end := at + len(word)
		if (at == 0 || words[at-1] <= ' ') && (end == len(words) || words[end] <= ' ') {
			return true
		}
		at = end
	}
	return false
}

// isKey reports whether a variable holds the vendor's key.
func (v *vendor) isKey(name string) bool {
	return slices.ContainsFunc(v.keys, func(key string) bool { return strings.EqualFold(key, name) })
}

// vendors are the kinds' vendors, in the order of docs/kinds.md, and others that serve models.
// A test compares those of the kinds with the daemon's. The patterns are so general that a
// vendor's next variable (…_API_KEY_2, …_OAUTH_TOKEN) is recognised too.
func vendors() []vendor {
	return []vendor{
		{kind: "ollama", prefixes: "OLLAMA", keys: []string{"OLLAMA_API_KEY"}},
		{kind: "lmstudio", prefixes: "LMSTUDIO LM_STUDIO", keys: []string{"LM_API_TOKEN"}},
		{
			kind: "llamacpp", prefixes: "LLAMA LLAMACPP LLAMA_CPP", keys: []string{"LLAMA_API_KEY"},
			spared: []string{"LLAMA_CLOUD_API_KEY", "LLAMA_CLOUD_BASE_URL"}, // LlamaIndex's, for reading documents
		},
		{kind: "vllm", prefixes: "VLLM HOSTED_VLLM", keys: []string{"VLLM_API_KEY"}},
		{kind: "sglang", prefixes: "SGLANG"},
		{kind: "tgi", prefixes: "TGI"},
		{kind: "localai", prefixes: "LOCALAI", keys: []string{"LOCALAI_API_KEY"}},
		{kind: "koboldcpp", prefixes: "KOBOLD KOBOLDCPP KCPP KOBOLDAI"},
		{kind: "textgen", prefixes: "TEXTGEN OOBABOOGA"},
		{kind: "jan", prefixes: "JAN"},
		{kind: "litellm", prefixes: "LITELLM LITELLM_PROXY", keys: []string{"LITELLM_PROXY_API_KEY", "LITELLM_MASTER_KEY"}, routes: []string{"USE_LITELLM_PROXY"}},
		{kind: "nim", prefixes: "NIM NGC", keys: []string{"NGC_API_KEY"}},
		{kind: "triton", prefixes: "TRITON"},
		{
			kind: "openai", home: "api.openai.com", prefixes: "OPENAI CODEX CHATGPT", keys: []string{"OPENAI_API_KEY"},
			// openai/openai-python _client.py; the last two choose the API of Azure.
			account: []string{"OPENAI_ORG_ID", "OPENAI_ORGANIZATION", "OPENAI_PROJECT_ID", "OPENAI_PROJECT", "OPENAI_API_TYPE", "OPENAI_API_VERSION", "OPENAI_PROXY", "AIDER_OPENAI_ORGANIZATION_ID", "AIDER_OPENAI_API_TYPE", "AIDER_OPENAI_API_VERSION"},
			routes:  []string{"CODEX_OSS_PORT"},
		},
		{
			kind: "anthropic", home: "api.anthropic.com", prefixes: "ANTHROPIC CLAUDE CLAUDE_CODE", keys: []string{"ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"},
			routes: []string{"CLAUDE_CODE_USE_"}, // …_BEDROCK, …_VERTEX, …_FOUNDRY: Claude Code asks a cloud then, with the cloud's own key
		},
		{
			kind: "gemini", home: "generativelanguage.googleapis.com", prefixes: "GEMINI GOOGLE_GEMINI GOOGLE_GENAI GOOGLE_GENERATIVE_AI GOOGLE_AI GOOGLE_PALM PALM",
			keys:   []string{"GOOGLE_API_KEY", "GEMINI_API_KEY"},
			routes: []string{"GOOGLE_GENAI_USE_", "CODE_ASSIST_ENDPOINT"}, // …_VERTEXAI; the second is Gemini CLI's
		},
		{
			kind: "azure-openai", home: ".openai.azure.com .cognitiveservices.azure.com .services.ai.azure.com", prefixes: "AZURE_OPENAI AZURE_AI AZURE_INFERENCE AZURE_API AZURE_AD AZURE_FOUNDRY AZURE_COGNITIVE_SERVICES",
			keys:   []string{"AZURE_OPENAI_API_KEY", "AZURE_API_KEY"},
			routes: []string{"AZURE_RESOURCE_NAME"},
		},
		{kind: "mistral", home: "api.mistral.ai", prefixes: "MISTRAL MISTRALAI CODESTRAL", keys: []string{"MISTRAL_API_KEY"}},
		{kind: "groq", home: "api.groq.com", prefixes: "GROQ", keys: []string{"GROQ_API_KEY"}},
		{kind: "openrouter", home: "openrouter.ai", prefixes: "OPENROUTER OPEN_ROUTER OR_API", keys: []string{"OPENROUTER_API_KEY", "OR_API_KEY"}},
		{kind: "deepseek", home: "api.deepseek.com", prefixes: "DEEPSEEK DEEP_SEEK", keys: []string{"DEEPSEEK_API_KEY"}},
		{kind: "xai", home: "api.x.ai", prefixes: "XAI GROK X_AI", keys: []string{"XAI_API_KEY"}},
		{kind: "cohere", home: "api.cohere.com", prefixes: "COHERE CO_API", keys: []string{"COHERE_API_KEY", "CO_API_KEY"}},
		{kind: "together", home: "api.together.xyz", prefixes: "TOGETHER TOGETHERAI TOGETHER_AI", keys: []string{"TOGETHER_API_KEY"}},
		{kind: "fireworks", home: "api.fireworks.ai", prefixes: "FIREWORKS FIREWORKSAI FIREWORKS_AI", keys: []string{"FIREWORKS_API_KEY"}},
		{kind: "cerebras", home: "api.cerebras.ai", prefixes: "CEREBRAS", keys: []string{"CEREBRAS_API_KEY"}},
		{kind: "perplexity", home: "api.perplexity.ai", prefixes: "PERPLEXITY PERPLEXITYAI PPLX", keys: []string{"PERPLEXITY_API_KEY"}},
		{
			kind: "huggingface", home: "router.huggingface.co", prefixes: "HF HUGGINGFACE HUGGING_FACE HUGGINGFACEHUB HUGGING_FACE_HUB",
			keys:   []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_API_KEY", "HUGGINGFACEHUB_API_TOKEN"},
			spared: []string{"HF_ENDPOINT"}, // where files are downloaded from
		},
		{kind: "nvidia", home: "integrate.api.nvidia.com", prefixes: "NVIDIA NVIDIA_NIM", keys: []string{"NVIDIA_API_KEY", "NVIDIA_NIM_API_KEY"}},
		{kind: "moonshot", home: "api.moonshot.ai", prefixes: "MOONSHOT MOONSHOTAI KIMI", keys: []string{"MOONSHOT_API_KEY"}},
		{kind: "zai", home: "api.z.ai", prefixes: "ZAI Z_AI ZHIPU ZHIPUAI BIGMODEL GLM", keys: []string{"ZAI_API_KEY"}},
		{
			keys:   []string{"AWS_BEARER_TOKEN_BEDROCK", "SNOWFLAKE_JWT"},
			routes: []string{"AIDER_SET_ENV", "LOCAL_ENDPOINT"}, // the second is opencode's
			prefixes: `AI21 AICORE AIDER AIHUBMIX AIML AIMLAPI AI_GATEWAY ALEPH_ALPHA ANYSCALE APODEX ARCEE ARK AVIAN BAICHUAN BAIDU BAILIAN BASETEN BEDROCK BLACKBOX BYTEPLUS
				CHUTES CLARIFAI CLOUDFLARE_AI CLOUDFLARE_WORKERS_AI COMETAPI COMPACTIFAI COPILOT CORTECS CROFAI DASHSCOPE DATABRICKS_API DATAROBOT DEEPINFRA
				DIGITALOCEAN_INFERENCE DOCKER_MODEL_RUNNER DOUBAO EMPOWER EVOLINK FAL FAL_AI FASTROUTER FEATHERLESS FEATHERLESS_AI FRIENDLI GALADRIEL GIGACHAT
				GITHUB_COPILOT GITHUB_MODELS GOOGLE_VERTEX GOOSE GPT4ALL GRADIENT_AI HELICONE HEROKU_INFERENCE HUNYUAN HYPERBOLIC IFLOW INCEPTION INFERENCE
				INFERENCE_NET INFINITY IOINTELLIGENCE IO_INTELLIGENCE JINA KILO KILOCODE KLUSTER KLUSTERAI LAMBDA_AI LAMBDA_API LANGDOCK LEMONADE LEPTON LINGYIWANWU
				LLAMAFILE LLAMAGATE LLM LLMGATEWAY LONGCAT LUCIDQUERY MARITACA MARITALK MERGE_GATEWAY META_LLAMA MIMO MINIMAX MODELSCOPE MORPH NANOGPT NANO_GPT NEBIUS
				NEURALWATT NLP_CLOUD NOVITA NSCALE OCTOAI ONE_API OPENCODE OVHAI OVHCLOUD PARASAIL PETALS PHIND POE POOLSIDE PORTKEY PREDIBASE PRIVATEMODE PUBLICAI
				QIANFAN QWEN REKA REPLICATE REQUESTY RUNPOD SAMBANOVA SAMBASTUDIO SARVAM SCALEWAY SILICON SILICONFLOW SPARKAI SPARK_API STACKIT STEPFUN STEP_API
				SUBMODEL SWARMA SYNTHETIC TARGON TENCENT_API TINFOIL TOPAZ UNBOUND UNIFY UPSTAGE V0 VENICE VERCEL_AI VERTEX VERTEXAI VIVGRID VOLC VOLCENGINE VOYAGE
				VOYAGEAI VULTR_INFERENCE WATSON WATSONX WENXIN WRITER WX_API XIAOMI XINFERENCE YI ZENMUX`,
		},
	}
}
