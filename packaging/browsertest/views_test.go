package browsertest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// views are the addresses of the views below the dashboard's own, with a text of each that
// its scripts do not write.
var views = []struct{ path, has string }{
	{"", "ollama"},
	{"?show=problems&sort=id", "anthropic"},
	{"providers/ollama", "qwen3:8b"},
	{"providers/anthropic", "invalid x-api-key"},
	{"providers/vllm", "connection refused"},
	{"models", "google/gemma-4-26b-a4b"},
	{"events", "rate_limited"},
	{"fleet", "in no fleet"},
	{"daemon", "log"},
}

// factsOf is the text of a view as it is read: without what is only for scripts or only for
// browsers without, and without the ages, which pass.
const factsOf = `(() => {
	const parts = [];
	(function read(node) {
		if (node.nodeType == Node.TEXT_NODE) parts.push(node.data);
		if (node.nodeType != Node.ELEMENT_NODE || node.matches("noscript, script, .js, .nojs, [hidden], #toasts")) return;
		if (node.matches("time")) parts.push("TIME");
		else node.childNodes.forEach(read);
	})(document.querySelector("main"));
	return parts.join("").replace(/[0-9]+/g, "#").replace(/\s+/g, " ");
})()`

// withoutScripts switches JavaScript off in a tab, or on.
func (w *tab) withoutScripts(off bool) {
	w.t.Helper()
	w.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: off})
		return err
	}))
}

// Every view says the same with and without JavaScript, and breaks no rule of its policy.
func TestViews_WithoutJavaScript(t *testing.T) {
	z := startZoo(t)
	for _, r := range z.rows() { // another probe between the two pages would change what they say
		z.ask("POST", "/api/providers/"+r.ID+"/pause", nil)
	}
	board := z.startDashboard()
	with, without := newTab(t), newTab(t)
	without.withoutScripts(true)
	for _, view := range views {
		with.open(board.url + view.path)
		with.until(connected)
		without.open(board.url + view.path)
		scripted, plain := eval[string](with, factsOf), eval[string](without, factsOf)
		if !strings.Contains(strings.ToLower(plain), strings.NewReplacer("0", "#", "3", "#", "4", "#", "8", "#", "26", "#").Replace(view.has)) {
			t.Errorf("%q without JavaScript does not say %q: %s", view.path, view.has, plain)
		}
		if scripted != plain {
			t.Errorf("%q says with JavaScript\n%s\nand without\n%s", view.path, scripted, plain)
		}
		if off := eval[bool](without, `document.documentElement.matches(".scripted")`); off {
			t.Errorf("%q: scripts run in the browser without them", view.path)
		}
		if again := eval[int](without, `document.querySelectorAll('meta[http-equiv="refresh"]').length`); again != 1 {
			t.Errorf("%q without JavaScript is not loaded again", view.path)
		}
		with.clean()
	}
}

// Without JavaScript too, "Refresh all" names who failed, and a filter filters.
func TestViews_FormsWithoutJavaScript(t *testing.T) {
	z := startZoo(t)
	w := newTab(t)
	w.withoutScripts(true)
	w.open(z.startDashboard().url)
	w.do(chromedp.Click(chromedp.CSS("#refresh-all button")))
	w.until(`document.querySelector("#toasts").innerText.includes("2 of 6")`)
	toast := eval[string](w, `document.querySelector("#toasts").innerText`)
	for _, r := range z.rows() {
		if r.ID == "anthropic" && (!strings.Contains(toast, r.ID) || !strings.Contains(toast, r.Detail) || !strings.Contains(toast, z.spelled(r.Hint))) {
			t.Errorf("%s, %q and %q are not all in: %s", r.ID, r.Detail, z.spelled(r.Hint), toast)
		}
	}
	w.do(chromedp.SendKeys(chromedp.CSS("#q"), "anthropic\r"))
	w.until(`document.querySelectorAll("#rows tr[data-id]").length == 1`)
	w.do(chromedp.Click(chromedp.CSS(`#rows tr[data-id="anthropic"] a`)))
	w.until(`location.pathname.endsWith("/providers/anthropic")`)
	w.do(chromedp.Click(chromedp.CSS("#pause button")))
	w.until(`document.querySelector("#pause").action.endsWith("/do/resume")`)
	for _, r := range z.rows() {
		if r.Paused != (r.ID == "anthropic") {
			t.Errorf("%s is paused: %v", r.ID, r.Paused)
		}
	}
	w.do(chromedp.Click(chromedp.CSS("#pause button")))
	w.until(`document.querySelector("#pause").action.endsWith("/do/pause")`)
}

// A dashboard that is read-only shows no button that changes something.
func TestViews_ReadOnly(t *testing.T) {
	z := startZoo(t)
	w := newTab(t)
	board := z.startDashboard("--read-only")
	for _, view := range views {
		w.watchLive(board.url + view.path)
		if n := eval[int](w, `document.querySelectorAll('form[method="post"]').length`); n != 0 {
			t.Errorf("%q has %d forms that change something", view.path, n)
		}
		w.clean()
	}
	if status := eval[int](w, fmt.Sprintf(`fetch(%q + "api/providers/refresh", {method: "POST", headers: {"X-Providerd": "1"}}).then(r => r.status)`, board.url)); status != 403 {
		t.Errorf("a refresh is answered with %d", status)
	}
}

// What a server says is text, whatever it says.
func TestViews_HostileTexts(t *testing.T) {
	const markup = `</script></td><img src=x onerror="window.taken=1"><svg onload=window.taken=1><b id=planted>planted</b>`
	long := strings.Repeat("x<i id=planted>", 700) // 10 kB
	texts := []string{markup, "\u202etxet sdrawkcab\u202c", "a\u200bb\u2066c", "\u05e9\u05dc\u05d5\u05dd 1b", `"onmouseover="window.taken=1`, "{{.}}${window.taken=1}"}
	models := []string{model("plain:1b", 1, "x", "Q4")}
	for _, text := range texts {
		models = append(models, model(text, 1, text, text))
	}
	models = append(models, model(long, 1, "x", "Q4"))
	lists := serve(t, ollama(models...))
	fails := serve(t, status(401, fmt.Sprintf(`{"error":{"message":%q}}`, "key rejected: "+markup+" "+texts[1]+texts[3])))
	talks := serve(t, status(401, fmt.Sprintf(`{"error":{"message":%q}}`, "key rejected: "+long)))
	d := startDaemon(t, fmt.Sprintf("[defaults]\ninterval = \"1h\"\ntimeout = \"20s\"\nslow_after = \"20s\"\n"+
		"[[provider]]\nid = \"lists\"\nkind = \"ollama\"\nbase_url = %q\n"+
		"[[provider]]\nid = \"fails\"\nkind = \"openai-compatible\"\nbase_url = %q\n"+
		"[[provider]]\nid = \"talks\"\nkind = \"openai-compatible\"\nbase_url = %q\n", lists.url(), fails.url()+"/v1", talks.url()+"/v1"))
	d.settled()
	w := newTab(t)
	board := d.startDashboard()
	for path, shows := range map[string]string{
		"": "onerror=", "providers/fails": "onerror=", "providers/lists": "onerror=", "providers/talks": "xxx<i id=planted>", "models": "onerror=", "events": "onerror=", "daemon": "",
	} {
		if path == "providers/talks" {
			shows = "x<i id=planted>x<i id=planted>"
		}
		w.watchLive(board.url + path)
		if path == "" { // a change is written by the scripts
			eval[bool](w, `document.querySelector("#refresh-all button").click() || true`)
			w.until(`document.querySelector("#toasts").textContent.includes("onerror=")`)
		}
		if text := eval[string](w, `document.body.textContent`); !strings.Contains(text, shows) {
			t.Errorf("%q does not show %q as text", path, shows)
		}
		if planted := eval[int](w, `document.querySelectorAll("#planted, main img, main [onload], main [onerror], main [onmouseover]").length`); planted != 0 {
			t.Errorf("%q: a server planted %d elements", path, planted)
		}
		if eval[bool](w, `"taken" in window`) {
			t.Errorf("%q: a server's script ran", path)
		}
		if wide := eval[int](w, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
			t.Errorf("%q: a long text makes the page %d px too wide", path, wide)
		}
		// What is written from right to left does not turn what is around it.
		if loose := eval[int](w, `[...document.querySelectorAll("main *, #toasts *")].filter(e => [...e.childNodes].some(n => n.nodeType == 3 && /[\u0590-\u08ff\u202a-\u202e\u2066-\u2069]/.test(n.data)) && !e.closest("bdi, [dir]")).length`); loose != 0 {
			t.Errorf("%q: %d texts with a direction of their own are not isolated", path, loose)
		}
		w.clean()
	}
}

// The tabs of these tests notice what a page may not do; otherwise they would prove nothing.
func TestViews_ViolationsAreNoticed(t *testing.T) {
	bad := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'")
		if r.URL.Path == "/bad.js" {
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, `try { document.body.innerHTML = "<p>x" } catch {} nowhere()`)
			return
		}
		fmt.Fprint(w, `<!doctype html><title>bad</title><p style="color: red">inline<script src="/bad.js"></script><script>1</script>`)
	})
	w := newTab(t)
	w.open(bad.url() + "/")
	w.until(`seen.violations.length >= 3 && seen.errors.length >= 1`)
	violations := strings.Join(eval[[]string](w, "seen.violations"), "\n")
	for _, directive := range []string{"style-src-attr", "script-src-elem", "require-trusted-types-for"} {
		if !strings.Contains(violations, directive) {
			t.Errorf("a violation of %s is not noticed: %s", directive, violations)
		}
	}
	if errors := eval[[]string](w, "seen.errors"); !strings.Contains(strings.Join(errors, "\n"), "nowhere") {
		t.Errorf("a script that fails is not noticed: %q", errors)
	}
}
