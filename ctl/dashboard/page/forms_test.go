package page_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/providerd/providerd/ctl/dashboard/page"
)

// said is the message that a form leads to.
func said(t *testing.T, h http.Handler, w *httptest.ResponseRecorder, back string) string {
	t.Helper()
	to := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(to, back) {
		t.Fatalf("%d to %q, want %q\n%s", w.Code, to, back, w.Body)
	}
	source := get(t, h, to, 200)
	_, toast, _ := strings.Cut(source, `id="toasts"`)
	toast, _, _ = strings.Cut(toast, "<main")
	if again := get(t, h, to, 200); strings.Contains(again, `class="toast"`) || strings.Contains(again, `class="toast bad"`) {
		t.Error("the message is there a second time")
	}
	return text(t, "<p "+toast)
}

func TestForms_RefreshNamesWhoFailed(t *testing.T) {
	d := startDaemon(t, mixed()...)
	d.fails["ollama"] = true
	h := views(d)
	message := said(t, h, post(h, base+"do/refresh", "nonce", "n0nce", "back", base+"?sort=id"), base+"?said=")
	mustHave(t, "the message", message, "0 of 5 can be used", "ollama : ERROR, unauthorized: 401 Unauthorized → replace the key of ollama", "groq : not probed: it is paused")
}

func TestForms_RefreshOneAsksForOne(t *testing.T) {
	d := startDaemon(t, mixed()...)
	h := views(d)
	mustHave(t, "the message", said(t, h, post(h, base+"do/refresh", "nonce", "n0nce", "provider_id", "ollama", "back", base+"providers/ollama"), base+"providers/ollama?said="), "ollama: RUNNING, 0.8 ms")
	if asked := d.requests("POST /api/providers/refresh"); len(asked) != 1 || !strings.Contains(asked[0], "provider_id=ollama") {
		t.Errorf("asked %v", asked)
	}
}

func TestForms_RefreshThatTakesTooLongSaysForWhom(t *testing.T) {
	d := startDaemon(t, mixed()...)
	d.holdback = true
	h := views(d)
	mustHave(t, "the message", said(t, h, post(h, base+"do/refresh", "nonce", "n0nce", "back", base), base+"?said="), "ollama : no answer yet")
}

func TestForms_PauseResumeAndReload(t *testing.T) {
	d := startDaemon(t, mixed()...)
	h := views(d)
	back := base + "providers/ollama"
	mustHave(t, "pause", said(t, h, post(h, base+"do/pause", "nonce", "n0nce", "provider_id", "ollama", "back", back), back), "ollama is paused")
	if !d.row("ollama").Paused {
		t.Error("it is not paused")
	}
	mustHave(t, "resume", said(t, h, post(h, base+"do/resume", "nonce", "n0nce", "provider_id", "ollama", "back", back), back), "ollama is probed again")
	mustHave(t, "reload", said(t, h, post(h, base+"do/reload", "nonce", "n0nce", "back", base+"daemon"), base+"daemon"), "added groq", "metrics_listen → restart providerd")
	mustHave(t, "diagnose", said(t, h, post(h, base+"do/diagnose", "nonce", "n0nce", "provider_id", "ollama", "back", back), back), "was probed on a new connection")
	d.admin = false
	mustHave(t, "pause by anybody", said(t, h, post(h, base+"do/pause", "nonce", "n0nce", "provider_id", "ollama", "back", back), back), "could not pause ollama", "type: sudo providerctl pause ollama")
}

func TestForms_ChangeNothingWithoutTheNonce(t *testing.T) {
	d := startDaemon(t, mixed()...)
	for name, h := range map[string]http.Handler{
		"wrong":      views(d),
		"none":       views(d, func(o *page.Options) { o.Nonce = "" }),
		"read-only":  views(d, func(o *page.Options) { o.ReadOnly = true }),
		"of another": views(d, func(o *page.Options) { o.Nonce = "an0ther" }),
	} {
		nonce := map[string]string{"wrong": "n0nc", "none": "", "read-only": "n0nce", "of another": "n0nce"}[name]
		for _, what := range []string{"refresh", "diagnose", "pause", "resume", "reload", "start", "stop", "restart"} {
			if w := post(h, base+"do/"+what, "nonce", nonce, "provider_id", "ollama"); w.Code != http.StatusForbidden {
				t.Errorf("%s nonce: %s is answered %d", name, what, w.Code)
			}
		}
		if w := post(h, base+"do/refresh?nonce=n0nce", "provider_id", "ollama"); name != "none" && w.Code != http.StatusForbidden {
			t.Errorf("a nonce in the address is taken: %d", w.Code)
		}
	}
	if asked := d.requests("POST"); len(asked) > 0 {
		t.Errorf("the daemon was asked: %v", asked)
	}
	if w := post(views(d), base+"do/erase", "nonce", "n0nce"); w.Code != http.StatusNotFound {
		t.Errorf("an unknown form is answered %d", w.Code)
	}
}

func TestForms_LeadBackToOurViewsOnly(t *testing.T) {
	h := views(startDaemon(t, mixed()...))
	for _, back := range []string{"", "https://elsewhere.example/", "//elsewhere.example/b4se/", "/other/", base + "../other/", "javascript:alert(1)", "\\\\elsewhere", base + "x\nSet-Cookie: a=b"} {
		to, err := url.Parse(post(h, base+"do/resume", "nonce", "n0nce", "provider_id", "groq", "back", back).Header().Get("Location"))
		if err != nil || to.Host != "" || to.Scheme != "" || !strings.HasPrefix(to.Path, base) || strings.Contains(to.Path, "..") {
			t.Errorf("%q leads to %q, %v", back, to, err)
		}
	}
}

func TestForms_ReadOnlyViewsHaveNone(t *testing.T) {
	d := startDaemon(t, mixed()...)
	h := views(d, func(o *page.Options) { o.ReadOnly = true })
	for _, path := range []string{"", "providers/ollama", "models", "events", "daemon"} {
		if source := get(t, h, base+path, 200); strings.Contains(source, `method="post"`) {
			t.Errorf("%s has a form that changes something", path)
		}
	}
}

func TestProgress_IsToldPerProvider(t *testing.T) {
	d := startDaemon(t, mixed()...)
	h := views(d)
	before := get(t, h, base+"progress.json?generation=5", 200)
	mustHave(t, "before", before, `"done":2`, `"waiting":["anthropic","lmstudio","ollama"]`) // groq is paused, openai limited
	post(h, base+"do/refresh", "nonce", "n0nce")
	after := get(t, h, base+"progress.json?generation=5", 200)
	mustHave(t, "after", after, `"total":5,"done":5,"waiting":[]`, `"id":"anthropic"`, `"hint":"replace the key"`)
	get(t, h, base+"progress.json", 400)
	get(t, h, base+"progress.json?generation=-1", 400)
}
