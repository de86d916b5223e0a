package ctl_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// listsOfModels is a daemon's script: two providers that list models, and four that do
// not, for different reasons.
func listsOfModels() map[string][]reply {
	now := time.Now().UTC().Format(time.RFC3339)
	ollama := `{"id":"ollama","type":"local","state":"RUNNING","reason":"ok","source":"probe"}`
	return map[string][]reply{
		"GET /api/providers/status": {rows(ollama,
			`{"id":"workshop2","type":"local","state":"RUNNING","reason":"ok","source":"probe"}`,
			`{"id":"empty","type":"local","state":"DEGRADED","reason":"no_models","source":"probe"}`,
			`{"id":"off","type":"local","state":"STOPPED","reason":"connection_refused","source":"probe"}`,
			`{"id":"off2","type":"local","state":"STOPPED","reason":"connection_refused","source":"probe"}`,
			`{"id":"web","type":"generic","state":"RUNNING","reason":"ok","source":"probe"}`,
			`{"id":"scoped","type":"cloud","state":"RUNNING","reason":"scope_limited","source":"probe"}`)},
		"GET /api/providers/status?provider_id=ollama": {rows(ollama)},
		"GET /api/providers/ollama/models": {ok(`{"id":"ollama","checked_at":"` + now + `","models":[` +
			`{"id":"qwen3:8b","size":5200000000,"family":"qwen3","quantization":"Q4_K_M","context_length":40960,"loaded":true},` +
			`{"id":"hf.co/somebody/a-model-with-a-rather-long-name:Q8_0","size":2100,"family":"llama\u001b","context_length":131072,"loaded":false}]}`)},
		"GET /api/providers/workshop2/models": {ok(`{"id":"workshop2","checked_at":"` + now + `","models":[{"id":"moon","context_length":1000000}]}`)},
		"GET /api/providers/empty/models":     {ok(`{"id":"empty","checked_at":"` + now + `","models":[]}`)},
		"GET /api/providers/off/models":       {ok(`{"id":"off","models":[]}`)},
		"GET /api/providers/off2/models":      {ok(`{"id":"off2","models":[]}`)},
		"GET /api/providers/web/models":       {ok(`{"id":"web","models":[]}`)},
		"GET /api/providers/scoped/models":    {ok(`{"id":"scoped","models":[]}`)},
	}
}

func TestModels(t *testing.T) {
	const silent = "providerctl: no list of models for off, off2: STOPPED (connection_refused)\n" +
		"providerctl: no list of models for web: a kind without models\n" +
		"providerctl: no list of models for scoped: the key may not list models\n"
	t.Run("OneTableOfEveryProvider", func(t *testing.T) {
		got := startDaemon(t, listsOfModels()).run(t, "models")
		want := `PROVIDER   MODEL                                                LOADED    SIZE  FAMILY     QUANT   CONTEXT
ollama     qwen3:8b                                             yes     5.2 GB  qwen3      Q4_K_M      40k
ollama     hf.co/somebody/a-model-with-a-rather-long-name:Q8_0  no      2.1 kB  llama\x1b  -          128k
workshop2  moon                                                 -            -  -          -            1M
`
		if diff := cmp.Diff(want, got.out); diff != "" || got.code != 0 {
			t.Error(got.code, diff)
		}
		if diff := cmp.Diff(silent, got.err); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("JSONIsALineForEach", func(t *testing.T) {
		got := startDaemon(t, listsOfModels()).run(t, "models", "-o", "json")
		lines := strings.Split(strings.TrimSpace(got.out), "\n")
		if got.code != 0 || len(lines) != 7 || !strings.HasPrefix(lines[0], `{"id":"ollama",`) || !strings.HasSuffix(got.err, silent) {
			t.Errorf("%+v", got)
		}
	})
	t.Run("OnlyWhatIsInMemory", func(t *testing.T) {
		d := startDaemon(t, listsOfModels())
		got := d.run(t, "models", "--loaded")
		if n := strings.Count(got.out, "\n"); n != 2 || !strings.Contains(got.out, "qwen3:8b") || got.code != 0 {
			t.Errorf("%+v", got)
		}
		d.run(t, "models", "ollama", "--loaded", "-o", "json").want(t, 0, `"loaded":true}]}`+"\n", "")
	})
}

func TestModels_OfOne(t *testing.T) {
	const status, models = "GET /api/providers/status?provider_id=a", "GET /api/providers/a/models"
	up := rows(`{"id":"a","type":"local","state":"RUNNING","reason":"ok","source":"probe"}`)
	at := func(age time.Duration) string { return time.Now().Add(-age).UTC().Format(time.RFC3339) }
	list := func(models string) reply {
		return ok(`{"id":"a","checked_at":"` + at(0) + `","models":[` + models + `]}`)
	}
	for name, tc := range map[string]struct {
		args     string
		script   map[string][]reply
		code     int
		out, err string
	}{
		"WithoutTheProvidersName": {"models a", map[string][]reply{status: {up}, models: {list(`{"id":"m"}`)}}, 0,
			"MODEL  LOADED  SIZE  FAMILY  QUANT  CONTEXT\nm      -          -  -       -            -\n", ""},
		"ThereIsNone":     {"models a", map[string][]reply{status: {up}, models: {list("")}}, 1, "", "no model is listed"},
		"NoneIsInMemory":  {"models a --loaded", map[string][]reply{status: {up}, models: {list(`{"id":"m"}`)}}, 1, "", "no model is known to be in memory"},
		"UnknownProvider": {"models a", map[string][]reply{status: {refused(404, unknownID)}}, 5, "", "no such provider"},
		"NotRead": {"models a", map[string][]reply{status: {up}, models: {ok(`{"id":"a","models":[]}`)}}, 1, "",
			"no list of models for a: up, but it did not list them\n"},
		"NotThere": {"models a", map[string][]reply{status: {rows(`{"id":"a","type":"local","state":"STOPPED","reason":"connection_refused","hint":"start it: ollama serve","source":"probe"}`)},
			models: {ok(`{"id":"a","models":[]}`)}}, 1, "", "no list of models for a: STOPPED (connection_refused)\nproviderctl: hint: start it: ollama serve\n"},
		"OldList": {"models a", map[string][]reply{
			status: {rows(`{"id":"a","type":"local","state":"DEGRADED","reason":"hung","source":"probe"}`)},
			models: {ok(`{"id":"a","checked_at":"` + at(10*time.Minute) + `","models":[{"id":"m"}]}`)},
		}, 0, "m      -", "the list of a is 10m old: the provider is DEGRADED (hung)\n"},
		"AsksFirstWhoWasNotAsked": {"models a", map[string][]reply{
			status: {rows(`{"id":"a","type":"local","state":"UNKNOWN","reason":"not_checked","source":"probe"}`), up},
			"GET /api/providers/status?max_age=1s&provider_id=a&wait=15s": {up},
			models: {list(`{"id":"m"}`)},
		}, 0, "m      -", ""},
		"RefreshesFirst": {"models a --refresh", map[string][]reply{
			"POST /api/providers/refresh?provider_id=a&wait=15s": {ok(`{"providers":[{"id":"a","state":"RUNNING","reason":"ok","source":"probe"}]}`)},
			models: {list(`{"id":"m"}`)},
		}, 0, "m      -", ""},
		"RefreshThatTakesTooLong": {"models a --refresh", map[string][]reply{
			"POST /api/providers/refresh?provider_id=a&wait=15s": {refused(504,
				`{"providers":[{"id":"a","state":"RUNNING","reason":"ok","source":"probe"}],"error":{"code":"timed_out","message":"no result within 15s"}}`)},
			models: {list(`{"id":"m"}`)},
		}, 6, "m      -", "no result within 15s"},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, tc.script)
			d.run(t, strings.Fields(tc.args)...).want(t, tc.code, tc.out, tc.err)
			if asked := d.requests(); tc.code == 0 && !slices.Contains(asked, models) {
				t.Error(asked)
			}
		})
	}
}

func TestModels_ContextIsShownShort(t *testing.T) {
	for context, want := range map[string]string{
		"512": "512", "2048": "2k", "40960": "40k", "128000": "128k", "131072": "128k", "200000": "200k", "202752": "198k",
		"8191": "8.2k", "1000000": "1M", "1048576": "1M", "2097152": "2M", "1024000": "1M",
	} {
		d := startDaemon(t, map[string][]reply{
			"GET /api/providers/status?provider_id=a": {rows(`{"id":"a","source":"probe","reason":"ok"}`)},
			"GET /api/providers/a/models":             {ok(`{"id":"a","models":[{"id":"m","context_length":` + context + `}]}`)},
		})
		if got := d.run(t, "models", "a"); !strings.HasSuffix(got.out, " "+want+"\n") {
			t.Errorf("%s is not shown as %s: %q", context, want, got.out)
		}
	}
}

// A model's aliases count wherever a model is named.
func TestModels_Aliases(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Format(time.RFC3339)
	a, web := row("a", "llamacpp", "local", "RUNNING", "ok", "1", `,"models_count":2`), row("web", "http", "generic", "RUNNING", "ok", "1", "")
	script := map[string][]reply{
		"GET /api/providers/status":               {rows(a, web)},
		"GET /api/providers/status?provider_id=a": {rows(a)},
		"GET /api/providers/a/models": {ok(`{"id":"a","checked_at":"` + now + `","models":[{"id":"alpha","aliases":["beta","gamma"],"loaded":true},` +
			`{"id":"delta"}]}`)},
	}
	startDaemon(t, script).run(t, "pick", "--model", "gamma", "-o", "id").want(t, 0, "a\n", "")
	startDaemon(t, script).run(t, "pick", "--model", "gama").want(t, 1, "", "did you mean: --model gamma")
	startDaemon(t, script).run(t, "__complete", "pick", "--model", "").want(t, 0, "alpha\ta\nbeta\ta\ngamma\ta\ndelta\ta\n", "ShellCompDirectiveNoFileComp")
	got := startDaemon(t, script).run(t, "models", "a")
	want := "MODEL  LOADED  SIZE  FAMILY  QUANT  CONTEXT  ALIASES\n" +
		"alpha  yes        -  -       -            -  beta, gamma\n" +
		"delta  -          -  -       -            -  -\n"
	if diff := cmp.Diff(want, got.out); diff != "" || got.code != 0 {
		t.Error(got, diff)
	}
}
