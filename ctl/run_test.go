package ctl_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A child is what a program was started with.
type child struct {
	argv []string
	env  map[string]string
	dup  []string // variables that it has twice
	result
}

// runs has providerctl run a program among the variables of its caller.
func (d *daemon) runs(t *testing.T, caller []string, args ...string) child {
	t.Helper()
	var c child
	var out, err bytes.Buffer
	c.code = ctl.Main(t.Context(), ctl.Env{
		Args: append([]string{"--socket", d.socket, "run"}, args...), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err,
		Getenv:  func(string) string { return "" },
		Environ: func() []string { return slices.Clone(caller) },
		Exec: func(argv, environ []string) (int, error) {
			c.argv, c.env = argv, map[string]string{}
			for _, line := range environ {
				name, value, _ := strings.Cut(line, "=")
				if _, twice := c.env[name]; twice {
					c.dup = append(c.dup, name)
				}
				c.env[name] = value
			}
			return 7, nil
		},
	})
	c.out, c.err = d.anywhere(out.String()), d.anywhere(err.String())
	return c
}

// serving has the rows of a configuration, all of them RUNNING.
func serving(t *testing.T, file string, vars map[string]string) (*daemon, []provider.Status) {
	t.Helper()
	env := config.Env{
		Getenv: func(name string) string { return vars[name] }, UID: 1000, TempDir: "/tmp", OS: "linux",
		ReadFile: func(string, int64) ([]byte, fs.FileMode, error) { return []byte("sk-of-a-file-0123456789"), 0o600, nil },
	}
	c, err := config.Parse("p.toml", []byte(file), probe.Kinds(), env)
	if err != nil {
		t.Fatal(err)
	}
	var all []provider.Status
	for i := range c.Providers {
		p := &c.Providers[i]
		all = append(all, provider.Status{
			ID: p.ID, Kind: p.Kind, Type: p.Type, State: provider.StateRunning, Reason: provider.OK, Source: provider.FromProbe,
			Endpoint: p.Endpoint, Client: p.Client,
		})
	}
	text := func(list ...provider.Status) reply {
		body, err := json.Marshal(provider.StatusReply{Providers: list})
		if err != nil {
			t.Fatal(err)
		}
		return ok(string(body))
	}
	script := map[string][]reply{"GET /api/providers/status": {text(all...)}}
	for _, s := range all {
		script["GET /api/providers/status?provider_id="+s.ID] = []reply{text(s)}
	}
	return startDaemon(t, script), all
}

// aliases are further variables in which programs look for keys.
var aliases = []string{
	"GEMINI_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACEHUB_API_TOKEN", "HF_API_KEY", "AZURE_OPENAI_AD_TOKEN",
	"AZURE_API_KEY", "AZURE_OPENAI_KEY", "CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_CUSTOM_HEADERS", "OPENAI_ADMIN_KEY", "OPENAI_API_KEY_2", "OPENAI_API_KEYS",
	"CODESTRAL_API_KEY", "OR_API_KEY", "CO_API_KEY", "TOGETHERAI_API_KEY", "PPLX_API_KEY", "OLLAMA_API_KEY", "HOSTED_VLLM_API_KEY", "NVIDIA_NIM_API_KEY",
	"AIDER_OPENAI_API_KEY", "AIDER_API_KEY", "CLARIFAI_PAT", "COPILOT_PROVIDER_API_KEY", "COMETAPI_KEY", "DATABRICKS_API_KEY", "FEATHERLESS_AI_API_KEY",
	"GIGACHAT_CREDENTIALS", "GOOSE_PROVIDER__API_KEY", "META_LLAMA_API_KEY", "NANO_GPT_API_KEY", "QIANFAN_AK", "SNOWFLAKE_JWT", "VERTEXAI_CREDENTIALS",
	"WATSONX_ZENAPIKEY", "XIAOMI_MIMO_API_KEY", "AZURE_COGNITIVE_SERVICES_API_KEY", "ANTHROPIC_FOUNDRY_API_KEY",
	"ZHIPUAI_API_KEY", "DASHSCOPE_API_KEY", "MINIMAX_API_KEY", "AI_GATEWAY_API_KEY", "AWS_BEARER_TOKEN_BEDROCK", "GROQ_API_KEY_FILE",
	"openai_api_key", "Anthropic_Api_Key", "groq_api_key", "hf_token", "gemini_api_key", "openai_admin_key", "Huggingface_Hub_Token",
}

// A child never sees a key that is not for its provider, whichever kind that is: not by
// another name, in lower case, a second time, or within another variable.
func TestRun_AChildSeesNoKeyThatIsNotForItsProvider(t *testing.T) {
	var file strings.Builder
	owner := map[string]string{} // of each key, the kind; empty: none of them
	var caller []string
	give := func(name, kind string) {
		key := "key-in-" + name + "-0123456789"
		owner[key] = kind
		caller = append(caller, name+"="+key)
	}
	for _, k := range probe.Kinds() {
		if k.Type == provider.Generic {
			continue
		}
		fmt.Fprintf(&file, "[[provider]]\nid = %q\nkind = %q\n", k.Name, k.Name)
		switch k.Name {
		case "openai-compatible":
			file.WriteString("base_url = \"https://gateway.example/v1\"\napi_key_env = \"OddName\"\n")
			give("OddName", k.Name)
		case "azure-openai":
			file.WriteString("base_url = \"https://mine.openai.azure.com\"\n")
		}
		for _, name := range append(slices.Clone(k.KeyEnv), k.TokenEnv) {
			if name != "" {
				give(name, k.Name)
			}
		}
	}
	file.WriteString("[[provider]]\nid = \"second\"\nkind = \"groq\"\napi_key_env = \"WORK_ACCOUNT\"\n")
	give("WORK_ACCOUNT", "second")
	for _, name := range aliases {
		if !slices.ContainsFunc(caller, func(line string) bool { return strings.HasPrefix(line, name+"=") }) {
			give(name, "")
		}
	}
	caller = append(caller, "OPENAI_API_KEY=key-a-second-time-0123456789", "MY_HEADER=Bearer key-in-MISTRAL_API_KEY-0123456789",
		"ANTHROPIC_BASE_URL=https://elsewhere.example", "OPENAI_BASE_URL_2=https://elsewhere.example", "AIDER_OPENAI_API_BASE=https://elsewhere.example",
		"OLLAMA_URI=https://elsewhere.example", "GOOSE_PROVIDER__HOST=https://elsewhere.example", "LOCAL_ENDPOINT=https://elsewhere.example",
		"AIDER_SET_ENV=OLLAMA_API_BASE=https://elsewhere.example", "ANTHROPIC_FOUNDRY_RESOURCE=elsewhere.example", "AZURE_RESOURCE_NAME=elsewhere.example",
		"AZURE_OPENAI_API_INSTANCE_NAME=elsewhere.example", "USE_LITELLM_PROXY=elsewhere.example", "CLAUDE_CODE_USE_BEDROCK=elsewhere.example",
		"CLAUDE_CODE_USE_VERTEX=elsewhere.example", "GOOGLE_GENAI_USE_VERTEXAI=elsewhere.example", "CODE_ASSIST_ENDPOINT=https://elsewhere.example", "LLAMA_CLOUD_API_KEY=llx",
		"OPENAI_API_BASE=https://elsewhere.example/v1", "OPENAI_ORG_ID=org-1",
		"PATH=/bin", "HOME=/home/ada", "OPENAI_MAX_TOKENS=5", "OLLAMA_KEEP_ALIVE=5m", "HF_ENDPOINT=https://mirror.example", "=C:=C:\\", "ODD")
	owner["key-a-second-time-0123456789"] = ""

	d, all := serving(t, file.String(), nil)
	for _, s := range all {
		c := d.runs(t, caller, s.ID, "--", "prog", "-x", "--y")
		if c.code != 7 || !slices.Equal(c.argv, []string{"prog", "-x", "--y"}) || c.out != "" || len(c.dup) > 0 {
			t.Fatalf("%s: %+v", s.ID, c)
		}
		kind := s.Kind
		if s.ID == "second" {
			kind = "second"
		}
		for name, value := range c.env {
			for key, whose := range owner {
				if strings.Contains(value, key) && whose != kind && !(whose == "" && sameVendor(name, kind)) {
					t.Errorf("%s: the child sees %s=%s", s.ID, name, value)
				}
			}
			if strings.Contains(value, "elsewhere.example") {
				t.Errorf("%s: the child is led elsewhere by %s=%s", s.ID, name, value)
			}
		}
		want := "none"
		if s.Client != nil && s.Client.KeyEnv != "" && s.Client.OpenAIBaseURL != "" {
			want = "key-in-" + s.Client.KeyEnv + "-0123456789"
		}
		if c.env["OPENAI_API_KEY"] != want || c.env["PROVIDERD_PROVIDER"] != s.ID {
			t.Errorf("%s: OPENAI_API_KEY=%s, want %s", s.ID, c.env["OPENAI_API_KEY"], want)
		}
		if s.Client != nil && c.env["OPENAI_BASE_URL"] != s.Client.OpenAIBaseURL {
			t.Errorf("%s: OPENAI_BASE_URL=%s", s.ID, c.env["OPENAI_BASE_URL"])
		}
		for name, value := range map[string]string{"PATH": "/bin", "HOME": "/home/ada", "OPENAI_MAX_TOKENS": "5", "OLLAMA_KEEP_ALIVE": "5m", "HF_ENDPOINT": "https://mirror.example", "LLAMA_CLOUD_API_KEY": "llx"} {
			if c.env[name] != value {
				t.Errorf("%s: %s=%s", s.ID, name, c.env[name])
			}
		}
	}
}

// sameVendor reports whether an alias is one of that kind's own vendor, which stays at
// the vendor's own address.
func sameVendor(name, kind string) bool {
	words := map[string]string{
		"openai": "openai", "anthropic": "anthropic claude", "gemini": "gemini google", "azure-openai": "azure", "mistral": "codestral", "groq": "groq",
		"openrouter": "or_", "cohere": "co_", "together": "together", "perplexity": "pplx", "huggingface": "hf hugging", "nvidia": "nvidia", "zai": "zhipu",
	}[kind]
	return slices.ContainsFunc(strings.Fields(words), func(w string) bool { return strings.HasPrefix(strings.ToLower(name), w) })
}

// Every kind's variables and address are known to run: it has them in a table of its
// own, as providerctl links nothing of the daemon.
func TestRun_KnowsTheVariablesOfEveryKind(t *testing.T) {
	for _, k := range probe.Kinds() {
		for _, name := range append(slices.Clone(k.KeyEnv), k.TokenEnv, k.AddrEnv, k.OldAddrEnv) {
			if name == "" {
				continue
			}
			d, _ := serving(t, "[[provider]]\nid = \"x\"\nkind = \"jan\"\n", nil)
			if c := d.runs(t, []string{name + "=a-value-of-the-caller"}, "x", "--", "prog"); c.env[name] == "a-value-of-the-caller" {
				t.Errorf("%s of %s is left to the child", name, k.Name)
			}
		}
		if k.Type == provider.Cloud && k.BaseURL != "" && len(k.KeyEnv) > 1 { // its others count too, at its own address
			d, _ := serving(t, "[[provider]]\nid = \"x\"\nkind = \""+k.Name+"\"\n", nil)
			second := k.KeyEnv[1]
			if c := d.runs(t, []string{second + "=the-second-one"}, "x", "--", "prog"); c.env[second] != "the-second-one" {
				t.Errorf("%s of %s is not left to the child", second, k.Name)
			}
		}
	}
}

func TestRun_Key(t *testing.T) {
	const openai = "[[provider]]\nid = \"a\"\nkind = \"openai\"\n"
	for name, tc := range map[string]struct {
		file   string
		caller []string
		want   map[string]string // of the child; empty: not there
		note   string
	}{
		"NotTheDaemons": {openai, nil, map[string]string{"OPENAI_API_KEY": "none"}, "OPENAI_API_KEY is not set here"},
		"NotTheVendorsAtAGatewayWithAFile": {openai + "base_url = \"https://gateway.example/v1\"\napi_key_file = \"/k\"\n",
			[]string{"OPENAI_API_KEY=sk-openai"}, map[string]string{"OPENAI_API_KEY": "none"}, "OPENAI_API_KEY is for its vendor, and not for https://gateway.example/v1"},
		"TheOneThatIsConfiguredAtAGateway": {openai + "base_url = \"https://gateway.example/v1\"\napi_key_env = \"GATEWAY\"\n",
			[]string{"OPENAI_API_KEY=sk-openai", "GATEWAY=sk-gateway"}, map[string]string{"OPENAI_API_KEY": "sk-gateway", "GATEWAY": "sk-gateway"}, ""},
		"NoSecondVariableOfTheVendorAtAGateway": {"[[provider]]\nid = \"a\"\nkind = \"anthropic\"\nbase_url = \"https://gateway.example\"\napi_key_env = \"ANTHROPIC_AUTH_TOKEN\"\n",
			[]string{"ANTHROPIC_API_KEY=sk-ant", "ANTHROPIC_AUTH_TOKEN=gw", "CLAUDE_CODE_OAUTH_TOKEN=oauth"},
			map[string]string{"ANTHROPIC_API_KEY": "", "CLAUDE_CODE_OAUTH_TOKEN": "", "ANTHROPIC_AUTH_TOKEN": "gw", "ANTHROPIC_BASE_URL": "https://gateway.example"}, ""},
		"AnotherAccountsWhereTheVendorsProgramsLook": {"[[provider]]\nid = \"a\"\nkind = \"anthropic\"\napi_key_env = \"WORK\"\n",
			[]string{"ANTHROPIC_API_KEY=sk-private", "WORK=sk-work"}, map[string]string{"ANTHROPIC_API_KEY": "sk-work", "WORK": "sk-work"}, ""},
		"NotToOpenAIWithoutItsAPI": {"[[provider]]\nid = \"a\"\nkind = \"cohere\"\n",
			[]string{"COHERE_API_KEY=co"}, map[string]string{"OPENAI_API_KEY": "none", "COHERE_API_KEY": "co", "OPENAI_BASE_URL": ""}, ""},
		"NotTheOneOfARunAround": {openai, // which ran with groq's
			[]string{"PROVIDERD_KEY_ENV=GROQ_API_KEY", "PROVIDERD_PROVIDER=groq", "GROQ_API_KEY=gsk", "OPENAI_API_KEY=gsk"},
			map[string]string{"OPENAI_API_KEY": "none", "GROQ_API_KEY": "", "PROVIDERD_PROVIDER": "a"}, "OPENAI_API_KEY is not set here"},
		"InTheDaemonsFile": {"[[provider]]\nid = \"a\"\nkind = \"openai-compatible\"\nbase_url = \"http://127.0.0.1:1/v1\"\napi_key_file = \"/k\"\n",
			nil, map[string]string{"OPENAI_API_KEY": "none"},
			"the daemon keeps its key for a in a file, and gives it to nobody, so the program has no key\nproviderctl: hint: if you may read the file: providerctl run a -- sh -c 'OPENAI_API_KEY=$(cat FILE) exec prog ...'"},
		"InTheDaemonsFileWithAVariable": {"[[provider]]\nid = \"a\"\nkind = \"vllm\"\nbase_url = \"http://127.0.0.1:1\"\napi_key_file = \"/k\"\n",
			nil, map[string]string{"OPENAI_API_KEY": "none"}, "VLLM_API_KEY is not set here"},
		"OfALocalServer": {"[[provider]]\nid = \"a\"\nkind = \"ollama\"\n",
			[]string{"OPENAI_API_KEY=sk-openai", "OLLAMA_HOST=0.0.0.0"}, map[string]string{"OPENAI_API_KEY": "none", "OLLAMA_HOST": "http://127.0.0.1:11434", "OPENAI_API_BASE": "http://127.0.0.1:11434/v1"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := serving(t, tc.file, map[string]string{"OPENAI_API_KEY": "sk-of-the-daemon"})
			c := d.runs(t, tc.caller, "a", "--", "prog")
			for name, want := range tc.want {
				if got, ok := c.env[name]; got != want || ok != (want != "") {
					t.Errorf("%s=%s, want %q", name, got, want)
				}
			}
			if !strings.Contains(c.err, tc.note) || tc.note == "" && c.err != "" {
				t.Errorf("stderr %q, want %q", c.err, tc.note)
			}
		})
	}
}

// What a program cannot reach by a URL and a key is not picked for one.
func TestRun_NotWhatNoURLLeadsTo(t *testing.T) {
	for name, tc := range map[string]struct{ setting, why string }{
		"Password":    {`base_url = "https://me:pass@h/v1"`, "it wants a user and password, which the daemon does not give out"},
		"Certificate": {"base_url = \"https://h/v1\"\nclient_cert_file = \"/c\"\nclient_key_file = \"/c\"", "it wants a client certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := serving(t, "[[provider]]\nid = \"a\"\nkind = \"openai-compatible\"\n"+tc.setting+"\n\n[[provider]]\nid = \"b\"\nkind = \"ollama\"\n", nil)
			if c := d.runs(t, nil, "--", "prog"); c.env["PROVIDERD_PROVIDER"] != "b" {
				t.Errorf("%+v", c)
			}
			c := d.runs(t, nil, "a", "--", "prog")
			if c.code != 1 || c.argv != nil || !strings.Contains(c.err, tc.why) {
				t.Errorf("%+v", c)
			}
			d.run(t, "pick", "a").want(t, 0, "a\n", "")
			d.run(t, "pick", "a", "-o", "url").want(t, 1, "", tc.why)
			d.run(t, "pick", "-o", "env").want(t, 0, "PROVIDERD_PROVIDER=b\n", "")
		})
	}
}

func TestRun_NotASocket(t *testing.T) {
	socket := reply{status: 200, body: strings.Replace(rows(row("a", "llamacpp", "local", "RUNNING", "ok", "1", "")).body, "http://a.example:1", "unix:/run/l.sock", 1)}
	d := startDaemon(t, map[string][]reply{"GET /api/providers/status": {socket}})
	if c := d.runs(t, nil, "--", "prog"); c.code != 1 || c.argv != nil || !strings.Contains(c.err, "at a Unix socket, which has no URL") {
		t.Errorf("%+v", c)
	}
}

// One request is enough, also for IDs: run must know the keys of all providers anyway.
func TestRun_AsksOnce(t *testing.T) {
	const file = "[[provider]]\nid = \"a\"\nkind = \"ollama\"\n\n[[provider]]\nid = \"b\"\nkind = \"vllm\"\n\n[[provider]]\nid = \"c\"\nkind = \"groq\"\napi_key_env = \"WORK\"\n"
	for ids, want := range map[string]string{"": "a", "b": "b", "b a b": "b"} {
		d, _ := serving(t, file, nil)
		c := d.runs(t, []string{"WORK=gsk-of-c"}, append(strings.Fields(ids), "--", "prog")...)
		if c.env["PROVIDERD_PROVIDER"] != want || c.env["WORK"] != "" || len(d.asked) != 1 {
			t.Errorf("%q: %+v, after %q", ids, c, d.asked)
		}
	}
	d, _ := serving(t, file, nil)
	d.script["GET /api/providers/status?provider_id=b&provider_id=nope"] = []reply{refused(404, unknownID)}
	if c := d.runs(t, nil, "b", "nope", "--", "prog"); c.code != 5 || c.argv != nil || !strings.Contains(c.err, "no such provider") {
		t.Errorf("%+v", c)
	}
	paused := row("a", "ollama", "local", "STOPPED", "paused", "0", `,"paused":true`)
	up := row("b", "ollama", "local", "RUNNING", "ok", "1", "")
	d = startDaemon(t, map[string][]reply{"GET /api/providers/status": {rows(paused, up)}})
	if c := d.runs(t, nil, "a", "a", "--", "prog"); c.code != 1 || strings.Count(c.err, "\nproviderctl: a: ") != 1 || strings.Contains(c.err, ": b: ") {
		t.Errorf("%+v", c)
	}
}

func TestRun_Line(t *testing.T) {
	d, _ := serving(t, "[[provider]]\nid = \"a\"\nkind = \"ollama\"\n", nil)
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"NoDash":        {[]string{"a", "python", "a"}, "write -- before the program: providerctl run a -- python a\n"},
		"NoDashNoID":    {[]string{"python", "a"}, "write -- before the program: providerctl run -- python a\n"},
		"NoDashQuoted":  {[]string{"echo", "a b", "it's"}, `write -- before the program: providerctl run -- echo 'a b' 'it'\''s'`},
		"NoDashFlag":    {[]string{"python", "-c", "1"}, "write -- before the program and its flags: providerctl run [ID...] -- CMD"},
		"ItsOwnFlag":    {[]string{"a", "--modle", "x", "--", "prog"}, "did you mean: --model\n"},
		"NoDashOneWord": {[]string{"a"}, "write -- before the program: providerctl run -- a\n"},
		"NoProgram":     {[]string{"a", "--"}, "the program is missing"},
		"Nothing":       {nil, "the program is missing"},
		"EmptyModel":    {[]string{"--model", "", "--", "prog"}, "run: --model is empty"},
		"EmptyID":       {[]string{"", "--", "prog"}, "an ID is empty"},
	} {
		if c := d.runs(t, nil, tc.args...); c.code != 2 || c.argv != nil || !strings.Contains(c.err, tc.want) {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if c := d.runs(t, nil, "--", "prog", "--", "", "--help"); !slices.Equal(c.argv, []string{"prog", "--", "", "--help"}) {
		t.Errorf("%+v", c)
	}
}

// With --wait it asks until there is one, and not where somebody has to act first.
func TestRun_Wait(t *testing.T) {
	const all, probed = "GET /api/providers/status", "GET /api/providers/status?max_age=1s&wait=1s"
	down := row("o", "ollama", "local", "STOPPED", "connection_refused", "0", "")
	up := row("o", "ollama", "local", "RUNNING", "ok", "1", "")
	d := startDaemon(t, map[string][]reply{all: {rows(down), rows(up)}, probed: {rows(down)}})
	if c := d.runs(t, nil, "--wait", "60s", "--", "prog"); c.code != 7 || c.err != "" {
		t.Errorf("%+v", c)
	}
	paused := row("o", "ollama", "local", "STOPPED", "paused", "0", `,"paused":true`)
	d = startDaemon(t, map[string][]reply{all: {rows(paused)}, probed: {rows(paused)}})
	if c := d.runs(t, nil, "--wait", "1000h", "--", "prog"); c.code != 1 || !strings.Contains(c.err, "providerctl resume o") {
		t.Errorf("%+v", c)
	}
	d = startDaemon(t, map[string][]reply{all: {rows(down)}, probed: {rows(down)}})
	if c := d.runs(t, nil, "--wait", "1ms", "--", "prog"); c.code != 1 && c.code != 6 || c.argv != nil {
		t.Errorf("%+v", c)
	}
}
