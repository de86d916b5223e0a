package page_test

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/dashboard/page"
	"github.com/providerd/providerd/store/provider"
)

const base = "/b4se/"

// views are a handler of pages about a daemon.
func views(d *daemon, change ...func(*page.Options)) http.Handler {
	o := page.Options{Client: &client.Client{Socket: d.socket, DialPatience: -1}, Base: base, Nonce: "n0nce", Host: "desk", Version: "9.9"}
	for _, c := range change {
		c(&o)
	}
	return page.New(o)
}

// get is a view, and what its status has to be.
func get(t *testing.T, h http.Handler, path string, status int) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	if w.Code != status {
		t.Fatalf("GET %s: %d, want %d\n%s", path, w.Code, status, w.Body)
	}
	return w.Body.String()
}

// post sends a form, and returns the answer.
func post(h http.Handler, path string, fields ...string) *httptest.ResponseRecorder {
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// text is what a person reads of a page, in one line.
func text(t *testing.T, source string) string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range doc.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" && n.Parent.Data != "script" {
			b.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func mustHave(t *testing.T, what, text string, facts ...string) {
	t.Helper()
	for _, fact := range facts {
		if !strings.Contains(text, fact) {
			t.Errorf("%s lacks %q:\n%s", what, fact, text)
		}
	}
}

func ago(d time.Duration) provider.Time { return provider.Time{Time: time.Now().Add(-d)} }

// mixed are providers that each need something else.
func mixed() []provider.Status {
	models := 4
	return []provider.Status{
		{ID: "ollama", Kind: "ollama", Type: provider.Local, State: provider.StateRunning, Reason: provider.OK, Endpoint: "http://127.0.0.1:11434", LatencyMS: 0.8, Since: ago(3 * time.Hour), CheckedAt: ago(time.Second), ModelsCount: &models, LoadedModels: []string{"qwen3:8b"}, Client: &provider.Client{OpenAIBaseURL: "http://127.0.0.1:11434/v1", Env: "OLLAMA_HOST"}},
		{ID: "lmstudio", Kind: "lmstudio", Type: provider.Local, State: provider.StateStopped, Reason: provider.ConnectionRefused, Detail: "connection refused", Hint: "start the server", Endpoint: "http://127.0.0.1:1234", Since: ago(time.Hour)},
		{ID: "openai", Kind: "openai", Type: provider.Cloud, State: provider.StateDegraded, Reason: provider.RateLimited, Detail: "429", Hint: "wait", RetryAt: ago(-41 * time.Second), LatencyMS: 90},
		{ID: "anthropic", Kind: "anthropic", Type: provider.Cloud, State: provider.StateError, Reason: provider.Unauthorized, Detail: "401: invalid x-api-key", Hint: "replace the key", LatencyMS: 84, Since: ago(time.Hour)},
		{ID: "groq", Kind: "groq", Type: provider.Cloud, State: provider.StateRunning, Reason: provider.OK, LatencyMS: 60, Paused: true},
	}
}

func TestProvider_ExplainsItselfWithoutScripts(t *testing.T) {
	d := startDaemon(t, mixed()...)
	d.history = true
	d.probes["anthropic"] = provider.Diagnostics{
		ID: "anthropic", Kind: "anthropic", Endpoint: "https://api.anthropic.com", BeganAt: ago(time.Minute), TookMS: 117,
		Resolve:  &provider.ResolveStep{Host: "api.anthropic.com", Addresses: []string{"192.0.2.1"}, TookMS: 2},
		Dial:     []provider.DialStep{{Address: "192.0.2.1:443", TookMS: 11}},
		TLS:      &provider.TLSStep{Version: "TLS 1.3", TookMS: 20},
		Requests: []provider.Exchange{{Method: "GET", URL: "https://api.anthropic.com/v1/models", Status: 401, TookMS: 84, BodyStart: `{"error":"bad"}`}},
		Feed:     &provider.FeedStep{URL: "https://status.example/feed", Format: "statuspage", Impact: provider.ImpactNone},
		Verdict:  provider.Verdict{State: provider.StateError, Reason: provider.Unauthorized, Saw: provider.Unauthorized, Definite: true, Fall: 2},
	}
	d.set("anthropic", provider.StateError, provider.Unauthorized, "401: invalid x-api-key", "replace the key")
	h := views(d)
	mustHave(t, "the provider", text(t, get(t, h, base+"providers/anthropic", 200)),
		"401: invalid x-api-key → replace the key", "definite: one such probe is enough", "resolve", "192.0.2.1:443 11 ms", "TLS 1.3", "GET https://api.anthropic.com/v1/models 401",
		"90 days", "up 50.0 % usable 75.0 % p50 82 ms p95 210 ms p99 900 ms outages 3 longest 2h between 24h", "status.example", "As Markdown", "ERROR → ✕ ERROR unauthorized", "Diagnose", "Pause", "up 50.0%")
	d.models["ollama"] = []provider.Model{{ID: "qwen3:8b", Size: 5_200_000_000}}
	mustHave(t, "a usable provider", text(t, get(t, h, base+"providers/ollama", 200)), "OPENAI_BASE_URL=http://127.0.0.1:11434/v1", "OLLAMA_HOST=", "qwen3:8b", "5.2 GB")
	mustHave(t, "a paused provider", text(t, get(t, h, base+"providers/groq", 200)), "Resume")
	mustHave(t, "no provider", text(t, get(t, h, base+"providers/nobody", 404)), "no such provider")
}

func TestProvider_SaysWhatIsLeftOfItsLimits(t *testing.T) {
	rows := mixed()
	none, some, all := 0.0, 149984.0, 150000.0
	rows[4].Limits = &provider.Limits{
		{Name: "tokens", Remaining: &some, Limit: &all, At: ago(time.Minute)},
		{Name: "requests<b>", Remaining: &none, ResetsAt: ago(-time.Hour - 30*time.Second), At: ago(time.Minute)},
	}
	h := views(startDaemon(t, rows...))
	source := get(t, h, base+"providers/groq", 200)
	mustHave(t, "the provider", text(t, source), "Left requests<b>: used up, reset in 1h; tokens: 149984 of 150000")
	if strings.Contains(source, "<b>:") {
		t.Error("the name of a limit is markup")
	}
}

func TestProvider_ShowsItsSlots(t *testing.T) {
	d := startDaemon(t, mixed()...)
	d.slots = []provider.SlotsReply{{ProviderID: "ollama", Total: 2, Used: 1, Waiting: 3}}
	h := views(d)
	mustHave(t, "the provider", text(t, get(t, h, base+"providers/ollama", 200)), "Slots 1 of 2 slots used, 3 waiting")
	if other := text(t, get(t, h, base+"providers/groq", 200)); strings.Contains(other, "Slots") {
		t.Errorf("slots of a provider without any: %s", other)
	}
}

// The bars of layers are one after the other, to one scale.
func TestProvider_LayersAreToScale(t *testing.T) {
	d := startDaemon(t, mixed()...)
	d.probes["ollama"] = provider.Diagnostics{
		ID: "ollama", BeganAt: ago(0), Dial: []provider.DialStep{{Address: "192.0.2.1:1", TookMS: 10}}, TLS: &provider.TLSStep{TookMS: 30},
		Requests: []provider.Exchange{{Method: "GET", URL: "http://192.0.2.1:1/", TookMS: 60}},
	}
	bars := regexp.MustCompile(`<rect x="(\d+)" y="0" width="(\d+)"`).FindAllStringSubmatch(get(t, views(d), base+"providers/ollama", 200), -1)
	var got []string
	for _, bar := range bars {
		got = append(got, bar[1]+"+"+bar[2])
	}
	if want := "[0+100 100+300 400+600]"; fmt.Sprint(got) != want {
		t.Errorf("bars are %v, want %s", got, want)
	}
}

func TestModels_SaysWhoHasWhat(t *testing.T) {
	d := startDaemon(t, mixed()...)
	yes, no := true, false
	d.models["ollama"] = []provider.Model{{ID: "qwen3:8b", Loaded: &yes, Size: 5_200_000_000}, {ID: "tiny", Loaded: &no}}
	d.models["openai"] = []provider.Model{{ID: "qwen3:8b"}, {ID: "gpt"}}
	h := views(d)
	mustHave(t, "models", text(t, get(t, h, base+"models", 200)), "Model ollama openai gpt ✓ listed qwen3:8b ● loaded 5.2 GB ✓ listed tiny ○ listed", "anthropic ERROR (unauthorized)")
	if got := text(t, get(t, h, base+"models?q=GPT", 200)); strings.Contains(got, "tiny") {
		t.Error("the filter shows other models")
	}
}

func TestModels_NamesProvidersIfTheyAreMany(t *testing.T) {
	var rows []provider.Status
	for i := range 12 {
		rows = append(rows, provider.Status{ID: fmt.Sprintf("gpu%d", i), Kind: "vllm", Type: provider.Local, State: provider.StateRunning})
	}
	d := startDaemon(t, rows...)
	for _, s := range rows {
		d.models[s.ID] = []provider.Model{{ID: "llama"}}
	}
	mustHave(t, "models", text(t, get(t, views(d), base+"models", 200)), "Model Providers llama gpu0 ✓ listed gpu1 ✓ listed")
}

func TestEvents_AreFilteredAndPaged(t *testing.T) {
	d := startDaemon(t, mixed()...)
	for i := range 250 {
		state := provider.StateRunning
		if i%2 == 0 {
			state = provider.StateError
		}
		d.set([]string{"ollama", "groq"}[i/2%2], state, provider.ServerError, fmt.Sprintf("change-%03d", i), "")
	}
	h := views(d)
	newest := get(t, h, base+"events", 200)
	if n := strings.Count(newest, "<li data-seq="); n != 200 || !strings.Contains(newest, "change-249") || strings.Contains(newest, "change-049") {
		t.Errorf("the first page has %d events", n)
	}
	older := regexp.MustCompile(`id="older" href="([^"]*)"`).FindStringSubmatch(newest)
	if older == nil {
		t.Fatal("there is no way to older events")
	}
	if next := get(t, h, strings.ReplaceAll(older[1], "&amp;", "&"), 200); !strings.Contains(next, "change-049") || strings.Contains(next, "change-050") {
		t.Error("the second page does not continue the first")
	}
	only := get(t, h, base+"events?provider_id=groq&state=ERROR", 200)
	if strings.Contains(only, "change-000") || strings.Contains(only, "change-003") || !strings.Contains(only, "change-002") {
		t.Error("the filter lets others through")
	}
}

func TestDaemon_ShowsHealthAndTheLogToWhoMayReadIt(t *testing.T) {
	d := startDaemon(t)
	h := views(d)
	mustHave(t, "an administrator's view", text(t, get(t, h, base+"daemon", 200)), "0, 0 shared another's probe", "not ok", "store", "the disk is full", "1.2.3", "disk is slow generation=1795828134803924 took=3s", "Reload the configuration")
	d.admin = false
	mine := text(t, get(t, h, base+"daemon", 200))
	mustHave(t, "anybody's view", mine, "run it with sudo", "the log is for administrators; type: sudo providerctl logs")
	if strings.Contains(mine, "Reload the configuration") {
		t.Error("there is a button that cannot work")
	}
}

func TestViews_AreShownWithoutADaemon(t *testing.T) {
	h := page.New(page.Options{Client: &client.Client{Socket: t.TempDir() + "/none", DialPatience: -1}, Base: base, Nonce: "n"})
	for _, path := range []string{"", "providers/ollama", "models", "events", "daemon"} {
		source := get(t, h, base+path, 503)
		mustHave(t, path, text(t, source), "the daemon is not running", "→ start it")
		mustHave(t, path, source, `content="3"`, "data-problem")
	}
}

func TestViews_OfNoProvidersSayWhatToDo(t *testing.T) {
	mustHave(t, "the overview", text(t, get(t, views(startDaemon(t)), base, 200)), "no provider is configured", "providerctl discover", "Use now none")
}

func TestViews_OtherAddressesAreNotFound(t *testing.T) {
	h := views(startDaemon(t))
	for _, path := range []string{"/", "/other/", base + "nothing", base + "assets/0000/app.js", base + "assets/x/../page.css"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code == 200 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// What is hostile about a text does not leave it: no element, no attribute, no direction.
func TestViews_ShowHostileTextsAsText(t *testing.T) {
	const bad = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202emoc.live\x1b[31m\x00"
	long := strings.Repeat("x", 10_000) + "END"
	rows := mixed()
	rows[3].Detail, rows[3].Hint, rows[3].Endpoint = bad+long, bad, "javascript:"+bad
	rows[0].LoadedModels = []string{bad}
	d := startDaemon(t, rows...)
	d.models["ollama"] = []provider.Model{{ID: bad, Aliases: []string{bad}}}
	d.probes["anthropic"] = provider.Diagnostics{ID: "anthropic", Kind: "anthropic", Requests: []provider.Exchange{{Method: "GET", URL: bad, BodyStart: bad, Headers: map[string]string{"X": bad}, Error: bad, TookMS: 1}}}
	d.set("anthropic", provider.StateError, provider.Reason(bad), bad+long, bad)
	h := views(d)
	for _, path := range []string{"", "providers/anthropic", "providers/ollama", "models", "events", "events?provider_id=" + url.QueryEscape(bad), "models?q=" + url.QueryEscape(bad), "?q=" + url.QueryEscape(bad), "providers/" + url.PathEscape(bad)} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", base+path, nil))
		source := w.Body.String()
		doc, err := html.Parse(strings.NewReader(source))
		if err != nil {
			t.Fatal(err)
		}
		for n := range doc.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			inline := n.Data == "script" && n.FirstChild != nil
			if inline || n.Data == "img" || n.Data == "style" {
				t.Errorf("%s has <%s>", path, n.Data)
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "href" && strings.HasPrefix(a.Val, "javascript:") {
					t.Errorf("%s has %s=%q", path, a.Key, a.Val)
				}
			}
		}
		if strings.ContainsAny(text(t, source), "\u202e\x1b\x00") {
			t.Errorf("%s shows a control character", path)
		}
	}
	if source := get(t, h, base, 200); strings.Contains(source, "END") || strings.Count(source, "x") > 3000 {
		t.Error("the overview has the whole text")
	}
	if !strings.Contains(get(t, h, base+"providers/anthropic", 200), "xEND") {
		t.Error("the provider's view does not have the whole text")
	}
}

func TestAssets_AreSmallAndKeptForEver(t *testing.T) {
	const most = 60_000
	total := 0
	names, err := fs.Glob(os.DirFS("assets"), "*")
	if err != nil || len(names) < 5 {
		t.Fatalf("%v, %v", names, err)
	}
	source := get(t, views(startDaemon(t)), base, 200)
	folder := regexp.MustCompile(base + `assets/[0-9a-f]{16}/`).FindString(source)
	h := views(startDaemon(t))
	for _, name := range names {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", folder+name, nil))
		total += w.Body.Len()
		if w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/") {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
		if lines := strings.Count(w.Body.String(), "\n"); lines > 400 {
			t.Errorf("%s has %d lines", name, lines)
		}
		for _, sink := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "DOMParser", "http://", "https://"} {
			if strings.Contains(w.Body.String(), sink) {
				t.Errorf("%s has %s", name, sink)
			}
		}
	}
	if total > most {
		t.Errorf("assets have %d bytes, at most %d are allowed", total, most)
	}
	t.Logf("%d bytes", total)
}
