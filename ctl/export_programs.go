package ctl

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// A program is one that can be configured.
type program struct {
	name, title string
	place       string   // where its configuration belongs, as a sentence
	comment     string   // what a comment begins with; empty: it has none
	one         bool     // it uses one provider at a time
	expands     []string // what it replaces in its configuration, whatever it is in
	// address is the URL of the API that the program speaks, and why a provider probably has
	// no such API. Without a URL, it has none.
	address func(c *candidate) (url, why string)
	note    func(e *exported) string // what a provider still needs; empty: nothing
	write   func(found []exported) []byte
}

// programs are the rows of the table in docs/scripting.md. Facts of each are from its own
// documentation; all are told the provider's API in their form for OpenAI-compatible
// servers, because their own forms for vendors look for keys in places that we cannot name.
func programs() []program {
	return []program{
		{ // opencode.ai/docs/providers#custom-provider, opencode.ai/config.json
			name: "opencode", title: "opencode", place: "for opencode.json in the project, or ~/.config/opencode/opencode.json",
			expands: []string{"{env:", "{file:"}, address: openAI, note: setKey("opencode"), write: writeOpencode,
		},
		{ // docs.continue.dev/reference
			name: "continue", title: "Continue", place: "for ~/.continue/config.yaml", comment: "# ",
			expands: []string{"{{"}, address: openAI, note: setKey("Continue, or in ~/.continue/.env,"), write: writeContinue,
		},
		{ // aider.chat/docs/config/aider_conf.html: AIDER_… comes before the file
			name: "aider", title: "aider", place: "for .aider.conf.yml in the project or in your home", comment: "# ", one: true,
			address: openAI, write: writeAider,
			note: func(e *exported) string {
				if e.keyEnv == "" {
					return ""
				}
				return fmt.Sprintf(`start it with the key of %s: AIDER_OPENAI_API_KEY="$%s" aider`, e.ID, e.keyEnv)
			},
		},
		{ // docs.cline.bot/cli/cli-reference; without a key it would send OPENAI_API_KEY
			name: "cline", title: "Cline", place: `for a shell; in the editor, choose "OpenAI Compatible" and give it the same address and model`, comment: "# ", one: true,
			address: openAI, note: setKey("the shell"), write: writeCline,
		},
		{ // zed.dev/docs/ai/llm-providers#openai-api-compatible: the key's variable is made of the name
			name: "zed", title: "Zed", place: "for ~/.config/zed/settings.json", comment: "// ",
			address: openAI, write: writeZed,
			note: func(e *exported) string {
				value := "none"
				if e.keyEnv == variableFor(e.name) {
					return setKey("Zed")(e)
				} else if e.keyEnv != "" {
					value = `"$` + e.keyEnv + `"`
				}
				return fmt.Sprintf(`start it with the key of %s: %s=%s zed`, e.ID, variableFor(e.name), value)
			},
		},
		{ // code.claude.com/docs/en/settings, …/llm-gateway
			name: "claude-code", title: "Claude Code", place: "for .claude/settings.local.json in the project, or ~/.claude/settings.json", one: true,
			address: anthropic, note: setKey("Claude Code"), write: writeClaudeCode,
		},
		{ // learn.chatgpt.com/docs/config-file/config-reference: openai, ollama and lmstudio cannot be redefined
			name: "codex", title: "Codex", place: "for ~/.codex/config.toml; not for a project's", comment: "# ",
			address: responses, note: setKey("Codex"), write: writeCodex,
		},
		{ // llm.datasette.io/en/stable/other-models.html
			name: "llm", title: "llm", place: `for extra-openai-models.yaml in the folder of: llm logs path`, comment: "# ",
			address: openAI, write: writeLLM,
			note: func(e *exported) string {
				if e.keyEnv == "" {
					return ""
				}
				return fmt.Sprintf(`before you use %s, or else it is sent OPENAI_API_KEY: llm keys set %s --value "$%[2]s"`, e.ID, e.keyEnv)
			},
		},
	}
}

func namesOfPrograms() (names []string) {
	for _, p := range programs() {
		names = append(names, p.name)
	}
	return names
}

func listOfPrograms() string {
	names := namesOfPrograms()
	last := len(names) - 1
	return strings.Join(names[:4], ", ") + ",\n" + strings.Join(names[4:last], ", ") + " or " + names[last]
}

// programNamed returns nil if there is no such program.
func programNamed(name string) *program {
	for _, p := range programs() {
		if p.name == name {
			return &p
		}
	}
	return nil
}

// setKey says that the variable with the key is to be set for a program, if it is not set
// here.
func setKey(where string) func(*exported) string {
	return func(e *exported) string {
		if e.keyEnv == "" || !e.keyless {
			return ""
		}
		return fmt.Sprintf("%s is not set here; set it to the key of %s for %s", e.keyEnv, e.ID, where)
	}
}

// canName reports whether the program takes a model's name as it is.
func (p *program) canName(model string) bool {
	return !strings.ContainsFunc(model, func(r rune) bool { return !provider.Shows(r) }) &&
		!slices.ContainsFunc(p.expands, func(s string) bool { return strings.Contains(model, s) })
}

// knowsModels reports whether a program knows the provider's models by itself.
func (p *program) knowsModels(e *exported) bool {
	return p.name == "claude-code" && e.Kind == "anthropic"
}

// openAI is the address of OpenAI's API.
func openAI(c *candidate) (url, why string) {
	if c.Client == nil || c.Client.OpenAIBaseURL == "" {
		return "", "it has no API like OpenAI's"
	}
	return encoded(c.Client.OpenAIBaseURL), ""
}

// responses is the same for programs that use only its responses, not its chat completions.
func responses(c *candidate) (url, why string) {
	// By the vendors' documentation: Ollama 0.13.3, LM Studio 0.3.29 and llama.cpp of January
	// 2026 or later.
	const have = "openai azure-openai ollama lmstudio llamacpp vllm sglang localai litellm openrouter groq xai huggingface fireworks"
	if url, why = openAI(c); why == "" && !isWord(have, c.Kind) {
		why = "it is not known to have OpenAI's responses; name it to try: providerctl export codex " + c.named()
	}
	return url, why
}

// anthropic is the address of Anthropic's messages, to which a program appends /v1/messages.
// Those of vendors are at the vendor's own address only.
func anthropic(c *candidate) (url, why string) {
	if url, why = openAI(c); why != "" {
		return "", "it has no API like Anthropic's"
	}
	const have = "anthropic ollama lmstudio llamacpp vllm sglang litellm"
	switch at := vendorOf(c.Kind, vendors()); {
	case isWord(have, c.Kind):
		return strings.TrimSuffix(url, "/v1"), ""
	case !at.isHome(c.Endpoint):
	case c.Kind == "openrouter":
		return strings.TrimSuffix(url, "/v1"), ""
	case c.Kind == "deepseek", c.Kind == "moonshot":
		return strings.TrimSuffix(url, "/v1") + "/anthropic", ""
	case c.Kind == "zai":
		return strings.TrimSuffix(url, "/paas/v4") + "/anthropic", ""
	}
	return strings.TrimSuffix(url, "/v1"), "it is not known to have Anthropic's messages; name it to try: providerctl export claude-code " + c.named()
}

// What a model is for, by its name. Lists do not say.
const (
	roleChat   = "chat"
	roleEmbed  = "embed"
	roleRerank = "rerank"
	roleOther  = "other" // pictures, speech
)

func roleOf(model string) string {
	model = strings.ToLower(model)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(model, word) })
	}
	switch {
	case has("rerank"):
		return roleRerank
	case has("embed", "bge-", "minilm", "gte-", "/e5-"):
		return roleEmbed
	case has("whisper", "tts", "dall-e", "gpt-image", "moderation", "transcribe", "realtime", "stable-diffusion", "flux", "sora", "imagen", "veo-", "davinci", "babbage", "gpt-audio"):
		return roleOther
	}
	return roleChat
}

func writeOpencode(found []exported) []byte {
	var providers fields
	for i := range found {
		e := &found[i]
		options := fields{{"baseURL", e.url}}
		if e.keyEnv != "" {
			options = append(options, field{"apiKey", "{env:" + e.keyEnv + "}"})
		}
		var models fields
		for _, m := range e.models {
			if roleOf(m.ID) == roleChat || m.ID == e.model {
				models = append(models, field{m.ID, fields{{"name", m.ID}}})
			}
		}
		providers = append(providers, field{e.name, fields{
			{"npm", "@ai-sdk/openai-compatible"}, {"name", e.ID}, {"options", options}, {"models", models},
		}})
	}
	return indentedJSON(fields{
		{"$schema", "https://opencode.ai/config.json"}, {"model", found[0].name + "/" + found[0].model}, {"provider", providers},
	})
}

func writeContinue(found []exported) []byte {
	var models []any
	for i := range found {
		e := &found[i]
		for _, m := range e.models {
			model := fields{{"name", e.ID + " " + m.ID}, {"provider", "openai"}, {"model", m.ID}, {"apiBase", e.url}, {"apiKey", noKey}}
			if e.keyEnv != "" {
				model[len(model)-1].value = "${{ secrets." + e.keyEnv + " }}"
			}
			switch role := roleOf(m.ID); {
			case m.ID == e.model:
			case role == roleOther:
				continue
			case role != roleChat:
				model = append(model, field{"roles", []any{role}})
			}
			if m.ContextLength > 0 {
				model = append(model, field{"defaultCompletionOptions", fields{{"contextLength", m.ContextLength}}})
			}
			models = append(models, model)
		}
	}
	return asYAML(fields{{"name", "providerd"}, {"version", "0.0.1"}, {"schema", "v1"}, {"models", models}})
}

func writeAider(found []exported) []byte {
	e := &found[0]
	return asYAML(fields{
		{"model", "openai/" + e.model}, {"openai-api-base", e.url},
		{"openai-api-key", noKey}, // otherwise it would send OPENAI_API_KEY
	})
}

func writeCline(found []exported) []byte {
	e := &found[0]
	key := noKey
	if e.keyEnv != "" {
		key = `"${` + e.keyEnv + `:?}"`
	}
	return fmt.Appendf(nil, "cline auth --provider openai-compatible --baseurl %s --modelid %s --apikey %s\n",
		provider.ShellWord(e.url), provider.ShellWord(e.model), key)
}

func writeZed(found []exported) []byte {
	var servers fields
	for i := range found {
		e := &found[i]
		var models []any
		for _, m := range e.models {
			if roleOf(m.ID) == roleChat || m.ID == e.model {
				const unknownContext = 32768
				models = append(models, fields{{"name", m.ID}, {"display_name", e.ID + " " + m.ID}, {"max_tokens", cmp.Or(m.ContextLength, unknownContext)}})
			}
		}
		servers = append(servers, field{e.name, fields{{"api_url", e.url}, {"available_models", models}}})
	}
	return indentedJSON(fields{
		{"agent", fields{{"default_model", fields{{"provider", found[0].name}, {"model", found[0].model}}}}},
		{"language_models", fields{{"openai_compatible", servers}}},
	})
}

func writeClaudeCode(found []exported) []byte {
	e := &found[0]
	env := fields{{"ANTHROPIC_BASE_URL", e.url}}
	var settings fields
	switch {
	case e.Kind == "anthropic" && isWord(" ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN ", e.keyEnv): // it looks there itself
	case e.keyEnv == "":
		env = append(env, field{"ANTHROPIC_AUTH_TOKEN", noKey}, field{"ANTHROPIC_API_KEY", ""})
	default:
		settings = append(settings, field{"apiKeyHelper", "printenv " + e.keyEnv})
		env = append(env, field{"ANTHROPIC_AUTH_TOKEN", ""}, field{"ANTHROPIC_API_KEY", ""})
	}
	if e.Kind != "anthropic" { // it asks for these beside the main model
		for _, size := range []string{"OPUS", "SONNET", "HAIKU"} {
			env = append(env, field{"ANTHROPIC_DEFAULT_" + size + "_MODEL", e.model})
		}
	}
	if e.model != "" {
		settings = append(settings, field{"model", e.model})
	}
	return indentedJSON(append(settings, field{"env", env}))
}

func writeCodex(found []exported) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "model = %s\nmodel_provider = %s\n", provider.Quoted(found[0].model), provider.Quoted(found[0].name))
	for i := range found {
		e := &found[i]
		fmt.Fprintf(&b, "\n[model_providers.%s]\nname = %s\nbase_url = %s\nwire_api = \"responses\"\n", e.name, provider.Quoted(e.ID), provider.Quoted(e.url))
		if e.keyEnv != "" {
			fmt.Fprintf(&b, "env_key = %s\n", provider.Quoted(e.keyEnv))
		}
	}
	return []byte(b.String())
}

func writeLLM(found []exported) []byte {
	var models []any
	for i := range found {
		e := &found[i]
		for _, m := range e.models {
			if roleOf(m.ID) != roleChat && m.ID != e.model {
				continue
			}
			model := fields{{"model_id", e.ID + "/" + m.ID}, {"model_name", m.ID}, {"api_base", e.url}}
			if e.keyEnv != "" {
				model = append(model, field{"api_key_name", e.keyEnv})
			}
			models = append(models, model)
		}
	}
	return asYAML(models)
}
