package ctl_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
	yaml3 "go.yaml.in/yaml/v3"

	"github.com/providerd/providerd/ctl"
)

// served is a row of a server with OpenAI's API at that address.
func served(id, kind, typ, state, reason, url, client string) string {
	return `{"id":"` + id + `","kind":"` + kind + `","type":"` + typ + `","state":"` + state + `","reason":"` + reason +
		`","endpoint":"` + strings.TrimSuffix(url, "/v1") + `","source":"probe","client":{"openai_base_url":"` + url + `"` + client + `}}`
}

// listing is a list of models.
func listing(ids ...string) reply {
	text, _ := json.Marshal(ids)
	var models []string
	for _, id := range regexp.MustCompile(`"(?:[^"\\]|\\.)*"`).FindAllString(string(text), -1) {
		models = append(models, `{"id":`+id+`}`)
	}
	return ok(`{"checked_at":"2026-01-02T03:04:05Z","models":[` + strings.Join(models, ",") + `]}`)
}

// Names that some format or program takes for something else.
var oddModels = []string{"qwen3:8b", `it's "odd" # \ $HOME`, "hf.co/a/b:Q4_K_M", "模型 é", "yes", "1e3", "{env:HOME}", "{file:/etc/passwd}", "${{ secrets.X }}", "a\nb\u009b", "nomic-embed-text"}

// several are a daemon with servers of different kinds; one is dead, one limited.
func several(t *testing.T) *daemon {
	return startDaemon(t, map[string][]reply{
		"GET /api/providers/status": {rows(
			served("dead", "ollama", "local", "STOPPED", "connection_refused", "http://127.0.0.1:9/v1", ""),
			served("ollama:2", "ollama", "local", "RUNNING", "ok", "http://[::1]:11434/a%20b/v1", ""),
			served("groq", "groq", "cloud", "RUNNING", "ok", "https://api.groq.com/openai/v1", `,"key_env":"GROQ_API_KEY"`),
			served("openai", "openai", "cloud", "RUNNING", "ok", "https://gateway.example/v1", `,"key_env":"OPENAI_API_KEY","key_env_guessed":true,"key_in_file":true`),
			served("kobold", "koboldcpp", "local", "RUNNING", "ok", "http://127.0.0.1:5001/v1", ""),
			`{"id":"limited","kind":"xai","type":"cloud","state":"DEGRADED","reason":"rate_limited","endpoint":"https://api.x.ai","source":"report",`+
				`"retry_at":"2999-01-01T00:00:00Z","client":{"openai_base_url":"https://api.x.ai/v1","key_env":"XAI_API_KEY"}}`,
			served("site", "http", "generic", "RUNNING", "ok", "http://127.0.0.1:80/v1", ""),
			`{"id":"sock","kind":"llamacpp","type":"local","state":"RUNNING","reason":"ok","endpoint":"unix:/run/x.sock","source":"probe"}`,
		)},
		"GET /api/providers/dead/models":     {listing("dead-model")},
		"GET /api/providers/ollama:2/models": {listing(oddModels...)},
		"GET /api/providers/groq/models":     {listing("whisper-large-v3", "llama-3.3-70b")},
		"GET /api/providers/openai/models":   {ok(`{"models":[]}`)},
		"GET /api/providers/kobold/models":   {listing("k")},
		"GET /api/providers/limited/models":  {listing("grok-4")},
		"GET /api/providers/sock/models":     {listing("s")},
	})
}

// exports runs export among the variables of a caller whose keys it must not show.
func exports(t *testing.T, d *daemon, args ...string) result {
	t.Helper()
	const secret = "a-key-that-nobody-may-see"
	var out, err bytes.Buffer
	code := ctl.Main(t.Context(), ctl.Env{
		Args: append([]string{"--socket", d.socket, "export"}, args...), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err,
		Getenv: environment(nil), Environ: func() []string { return []string{"GROQ_API_KEY=" + secret, "OPENAI_API_KEY=" + secret} },
	})
	if strings.Contains(out.String()+err.String(), secret) {
		t.Errorf("export %v shows a key:\n%s%s", args, out.String(), err.String())
	}
	return result{d.anywhere(out.String()), d.anywhere(err.String()), code}
}

// read decodes what a program would read, and fails if there is more than it knows.
func read(t *testing.T, format, text string, into any) {
	t.Helper()
	var err error
	switch format {
	case "json":
		text = regexp.MustCompile(`(?m)^// .*\n`).ReplaceAllString(text, "")
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		err = d.Decode(into)
	case "yaml":
		d := yaml3.NewDecoder(strings.NewReader(text))
		d.KnownFields(true)
		err = d.Decode(into)
	case "toml":
		err = toml.NewDecoder(strings.NewReader(text)).DisallowUnknownFields().Decode(into)
	}
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
}

func same(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

const odd = `it's "odd" # \ $HOME`

func TestExport_Opencode(t *testing.T) {
	got := exports(t, several(t), "opencode")
	var c struct {
		Schema   string `json:"$schema"`
		Model    string `json:"model"`
		Provider map[string]struct {
			NPM     string `json:"npm"`
			Name    string `json:"name"`
			Options struct {
				BaseURL string `json:"baseURL"`
				APIKey  string `json:"apiKey"`
			} `json:"options"`
			Models map[string]struct {
				Name string `json:"name"`
			} `json:"models"`
		} `json:"provider"`
	}
	read(t, "json", got.out, &c)
	same(t, "providerd-ollama-2/qwen3:8b", c.Model)
	same(t, "http://[::1]:11434/a%20b/v1", c.Provider["providerd-ollama-2"].Options.BaseURL)
	same(t, "{env:GROQ_API_KEY}", c.Provider["providerd-groq"].Options.APIKey)
	same(t, odd, c.Provider["providerd-ollama-2"].Models[odd].Name)
	if len(c.Provider) != 3 || strings.Contains(got.out, "HOME}") || strings.Contains(got.out, "passwd") || strings.Contains(got.out, "whisper") {
		t.Errorf("%+v\n%s", c.Provider, got.out)
	}
	got.want(t, 0, "kobold", "providerctl: for opencode.json in the project, or ~/.config/opencode/opencode.json\n")
	got.want(t, 0, "kobold", "providerctl: ollama:2: 3 of its models are left out, because opencode would misread their names\n")
	got.want(t, 0, "kobold", "providerctl: openai: its models are not known; name one: --model NAME\n")
}

func TestExport_Continue(t *testing.T) {
	var c struct {
		Name, Version, Schema string
		Models                []struct {
			Name, Provider, Model string
			APIBase               string `yaml:"apiBase"`
			APIKey                string `yaml:"apiKey"`
			Roles                 []string
		}
	}
	read(t, "yaml", exports(t, several(t), "continue").out, &c)
	same(t, "v1", c.Schema)
	byName := map[string]string{}
	for _, m := range c.Models {
		byName[m.Name] = m.APIKey + " " + m.APIBase + " " + m.Model + " " + strings.Join(m.Roles, ",")
	}
	same(t, "none http://[::1]:11434/a%20b/v1 "+odd+" ", byName["ollama:2 "+odd])
	same(t, "${{ secrets.GROQ_API_KEY }} https://api.groq.com/openai/v1 llama-3.3-70b ", byName["groq llama-3.3-70b"])
	same(t, "none http://[::1]:11434/a%20b/v1 nomic-embed-text embed", byName["ollama:2 nomic-embed-text"])
	if len(byName) != 11 { // {env: means nothing to it
		t.Error(byName)
	}
}

func TestExport_Aider(t *testing.T) {
	type config struct {
		Model string
		Base  string `yaml:"openai-api-base"`
		Key   string `yaml:"openai-api-key"`
	}
	var c config
	got := exports(t, several(t), "aider")
	read(t, "yaml", got.out, &c)
	same(t, config{"openai/qwen3:8b", "http://[::1]:11434/a%20b/v1", "none"}, c)
	got = exports(t, several(t), "aider", "--model", "llama-3.3-70b")
	read(t, "yaml", got.out, &c)
	same(t, config{"openai/llama-3.3-70b", "https://api.groq.com/openai/v1", "none"}, c)
	got.want(t, 0, `# start it with the key of groq: AIDER_OPENAI_API_KEY="$GROQ_API_KEY" aider`+"\n", "")
}

// What is printed for Cline is a command, which a shell runs with the arguments that are
// meant.
func TestExport_Cline(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no sh")
	}
	for model, want := range map[string]string{
		odd:             "[http://[::1]:11434/a%20b/v1] [" + odd + "] [none]\n",
		"llama-3.3-70b": "[https://api.groq.com/openai/v1] [llama-3.3-70b] [secret]\n",
	} {
		script := `cline() { printf '[%s] [%s] [%s]\n' "$5" "$7" "$9"; }` + "\n" + exports(t, several(t), "cline", "--model", model).out
		cmd := exec.Command("sh", "-c", script)
		cmd.Env = []string{"GROQ_API_KEY=secret", "HOME=/x"}
		out, err := cmd.CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("%v: %s from:\n%s", err, out, script)
		}
	}
}

func TestExport_Zed(t *testing.T) {
	got := exports(t, several(t), "zed")
	type model struct {
		Name      string `json:"name"`
		Display   string `json:"display_name"`
		MaxTokens int    `json:"max_tokens"`
	}
	var c struct {
		Agent struct {
			Default struct{ Provider, Model string } `json:"default_model"`
		}
		Models struct {
			Compatible map[string]struct {
				URL    string  `json:"api_url"`
				Models []model `json:"available_models"`
			} `json:"openai_compatible"`
		} `json:"language_models"`
	}
	read(t, "json", got.out, &c)
	same(t, "providerd-ollama-2 qwen3:8b", c.Agent.Default.Provider+" "+c.Agent.Default.Model)
	same(t, []model{{"llama-3.3-70b", "groq llama-3.3-70b", 32768}}, c.Models.Compatible["providerd-groq"].Models)
	got.want(t, 0, `// start it with the key of groq: PROVIDERD_GROQ_API_KEY="$GROQ_API_KEY" zed`+"\n", "")
	got.want(t, 0, "// start it with the key of ollama:2: PROVIDERD_OLLAMA_2_API_KEY=none zed\n", "")
}

func TestExport_ClaudeCode(t *testing.T) {
	type settings struct {
		Helper string            `json:"apiKeyHelper"`
		Model  string            `json:"model"`
		Env    map[string]string `json:"env"`
	}
	for name, tc := range map[string]struct {
		row  string
		want settings
	}{
		"Local": {
			served("ollama", "ollama", "local", "RUNNING", "ok", "http://127.0.0.1:11434/v1", ""),
			settings{"", "m", map[string]string{"ANTHROPIC_BASE_URL": "http://127.0.0.1:11434", "ANTHROPIC_AUTH_TOKEN": "none", "ANTHROPIC_API_KEY": "", "ANTHROPIC_DEFAULT_OPUS_MODEL": "m", "ANTHROPIC_DEFAULT_SONNET_MODEL": "m", "ANTHROPIC_DEFAULT_HAIKU_MODEL": "m"}},
		},
		"Anthropic": {
			served("anthropic", "anthropic", "cloud", "RUNNING", "ok", "https://api.anthropic.com/v1", `,"key_env":"ANTHROPIC_API_KEY"`),
			settings{"", "", map[string]string{"ANTHROPIC_BASE_URL": "https://api.anthropic.com"}},
		},
		"Gateway": {
			served("gw", "anthropic", "cloud", "RUNNING", "ok", "https://gw.example/a/v1", `,"key_env":"GW_KEY"`),
			settings{"printenv GW_KEY", "", map[string]string{"ANTHROPIC_BASE_URL": "https://gw.example/a", "ANTHROPIC_AUTH_TOKEN": "", "ANTHROPIC_API_KEY": ""}},
		},
		"Vendor": {
			served("zai", "zai", "cloud", "RUNNING", "ok", "https://api.z.ai/api/paas/v4", `,"key_env":"ZAI_API_KEY"`),
			settings{"printenv ZAI_API_KEY", "m", map[string]string{"ANTHROPIC_BASE_URL": "https://api.z.ai/api/anthropic", "ANTHROPIC_AUTH_TOKEN": "", "ANTHROPIC_API_KEY": "", "ANTHROPIC_DEFAULT_OPUS_MODEL": "m", "ANTHROPIC_DEFAULT_SONNET_MODEL": "m", "ANTHROPIC_DEFAULT_HAIKU_MODEL": "m"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			id := regexp.MustCompile(`"id":"(\w+)"`).FindStringSubmatch(tc.row)[1]
			d := startDaemon(t, map[string][]reply{"GET /api/providers/status": {rows(tc.row)}, "GET /api/providers/" + id + "/models": {listing("m")}})
			var got settings
			read(t, "json", exports(t, d, "claude-code").out, &got)
			same(t, tc.want, got)
		})
	}
}

func TestExport_Codex(t *testing.T) {
	type server struct {
		Name    string `toml:"name"`
		BaseURL string `toml:"base_url"`
		WireAPI string `toml:"wire_api"`
		EnvKey  string `toml:"env_key"`
	}
	type config struct {
		Model     string            `toml:"model"`
		Provider  string            `toml:"model_provider"`
		Providers map[string]server `toml:"model_providers"`
	}
	got := exports(t, several(t), "codex", "--model", odd)
	var c config
	read(t, "toml", got.out, &c)
	same(t, config{odd, "providerd-ollama-2", map[string]server{"providerd-ollama-2": {"ollama:2", "http://[::1]:11434/a%20b/v1", "responses", ""}}}, c)
	got = exports(t, several(t), "codex")
	c = config{}
	read(t, "toml", got.out, &c)
	same(t, server{"groq", "https://api.groq.com/openai/v1", "responses", "GROQ_API_KEY"}, c.Providers["providerd-groq"])
	got.want(t, 0, "# kobold: it is not known to have OpenAI's responses; name it to try: providerctl export codex kobold\n", "")
}

func TestExport_LLM(t *testing.T) {
	type model struct {
		ID   string `yaml:"model_id"`
		Name string `yaml:"model_name"`
		Base string `yaml:"api_base"`
		Key  string `yaml:"api_key_name"`
	}
	var models []model
	got := exports(t, several(t), "llm")
	read(t, "yaml", got.out, &models)
	same(t, model{"ollama:2/qwen3:8b", "qwen3:8b", "http://[::1]:11434/a%20b/v1", ""}, models[0])
	got.want(t, 0, `# before you use groq, or else it is sent OPENAI_API_KEY: llm keys set GROQ_API_KEY --value "$GROQ_API_KEY"`+"\n", "")
}

// A provider whose list is not known serves a named model if nobody else lists it. A
// vendor's variable is not used for a gateway whose key is in a file.
func TestExport_ALastResort(t *testing.T) {
	got := exports(t, several(t), "opencode", "--model", "nobody-lists-it")
	got.want(t, 0, `"model": "providerd-openai/nobody-lists-it"`, "PROVIDERD_OPENAI_API_KEY is not set here; set it to the key of openai for opencode\n")
	got.want(t, 0, `"{env:PROVIDERD_OPENAI_API_KEY}"`, "ollama:2: it does not list nobody-lists-it\n")
}

// With --all the dead and the limited one are there, after those that can be used.
func TestExport_All(t *testing.T) {
	got := exports(t, several(t), "codex", "--all")
	for _, id := range []string{"dead", "limited"} {
		if !strings.Contains(got.out, "[model_providers.providerd-"+id+"]\n") {
			t.Errorf("%s is missing in\n%s", id, got.out)
		}
	}
	got.want(t, 0, `model_provider = "providerd-ollama-2"`, "")
	if other := exports(t, several(t), "codex", "--all"); other != got {
		t.Errorf("it differs: %s", cmp.Diff(got, other))
	}
}

func TestExport_SaysWhyThereIsNothing(t *testing.T) {
	down := served("dead", "ollama", "local", "STOPPED", "connection_refused", "http://127.0.0.1:9/v1", `,"env":"OLLAMA_HOST"`)
	down = strings.Replace(down, `"source"`, `"hint":"start it: ollama serve","source"`, 1)
	d := startDaemon(t, map[string][]reply{"GET /api/providers/status": {rows(down)}})
	exports(t, d, "opencode").want(t, 1, "", "providerctl: no provider can be used now\nproviderctl: dead: STOPPED (connection_refused); start it: ollama serve\n")
	exports(t, d, "opencod").want(t, 2, "", "did you mean: providerctl export opencode\n")
	exports(t, d).want(t, 2, "", "usage: ")
	startDaemon(t, map[string][]reply{"GET /api/providers/status?provider_id=nope": {refused(404, unknownID)}}).run(t, "export", "zed", "nope").want(t, 5, "", "no such provider")
	if got := d.run(t, "__complete", "export", ""); !strings.Contains(got.out, "claude-code\ncodex\nllm\n:4\n") {
		t.Errorf("%+v", got)
	}
}
