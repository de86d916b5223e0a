package browsertest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	browserdomain "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// focused is the provider of the row that has the focus.
const focused = `(document.activeElement.closest("tr[data-id]")?.dataset.id || "")`

// A person without a mouse gets everywhere, and does everything.
func TestKeys_AWalk(t *testing.T) {
	z := startZoo(t)
	w := newTab(t)
	w.allowClipboard()
	board := z.startDashboard()
	w.watchLive(board.url)
	ids := eval[[]string](w, `[...document.querySelectorAll("#rows tr[data-id]")].map(r => r.dataset.id)`)

	w.press("j")
	w.until(focused + ` == "` + ids[0] + `"`)
	w.press("j", "j")
	w.until(focused + ` == "` + ids[2] + `"`)
	w.press("k")
	w.until(focused + ` == "` + ids[1] + `"`)
	w.do(chromedp.KeyEvent("j", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	if now := eval[string](w, focused); now != ids[1] {
		t.Errorf("ctrl-j goes to %q", now)
	}
	before := z.generations()[ids[1]]
	w.press("r")
	until(t, "the row is probed", func() bool { return z.generations()[ids[1]] > before })
	if after := z.generations()[ids[0]]; after > before {
		t.Error("r refreshes another row too")
	}
	w.until(`document.querySelector("#toasts .toast")`)
	w.press("R")
	w.until(`/2 of 6/.test(document.querySelector("#toasts").textContent)`)

	w.press("/")
	w.until(`document.activeElement.id == "q"`)
	w.press("j", "k", "r", "?", kb.Backspace, kb.Backspace, kb.Backspace, kb.Backspace) // letters, here
	w.press("o", "l", "l", "a", "m", "a")
	w.until(`document.querySelector("#q").value == "ollama"`)
	w.until(`[...document.querySelectorAll("#rows tr[data-id]")].filter(r => r.checkVisibility()).length == 1`)
	w.press(kb.Escape)
	w.until(`document.activeElement.id != "q"`)
	w.press("c")
	w.until(`navigator.clipboard.readText`)
	w.clipboardHas(z.lmstudio.url(), z.ollama.url()) // what pick takes

	for eval[string](w, focused) != "ollama" {
		w.press("j")
	}
	w.press(kb.Enter)
	w.until(`location.pathname.endsWith("/providers/ollama")`)
	w.until(connected)
	w.press("c")
	w.clipboardHas("ollama")
	before = z.generations()["ollama"]
	w.press("d")
	until(t, "ollama is diagnosed", func() bool { return z.generations()["ollama"] > before })
	w.until(`document.querySelector("#toasts").textContent.includes("ollama")`)
	w.press("p")
	until(t, "ollama is paused", func() bool { return z.paused("ollama") })
	w.until(`/paused/.test(document.querySelector("#card").textContent)`)
	w.press("p")
	until(t, "ollama is resumed", func() bool { return !z.paused("ollama") })
	w.until(`!/paused/.test(document.querySelector("#card .big").textContent)`)
	w.press(kb.Escape)
	w.until(`document.body.dataset.view == "overview"`)

	for _, go_ := range []struct{ key, view string }{{"m", "models"}, {"e", "events"}, {"d", "daemon"}, {"o", "overview"}} {
		w.until(connected)
		w.press("g", go_.key)
		w.until(fmt.Sprintf("document.body.dataset.view == %q", go_.view))
	}
	w.until(connected)
	w.press("?")
	w.until(`document.querySelector("#help").open`)
	w.press(kb.Escape)
	w.until(`!document.querySelector("#help").open`)
	ground := func() string { return eval[string](w, `getComputedStyle(document.body).backgroundColor`) }
	grounds := []string{ground()}
	for range 3 {
		w.press("t")
		if now := ground(); !slices.Contains(grounds, now) {
			grounds = append(grounds, now)
		}
	}
	if len(grounds) != 2 {
		t.Fatalf("t leads to the backgrounds %v", grounds)
	}
	for ground() != grounds[1] { // the other one, which the next page keeps
		w.press("t")
	}
	w.open(board.url)
	if now := ground(); now != grounds[1] {
		t.Errorf("the theme is forgotten: %s, not %s", now, grounds[1])
	}
	w.clean()
}

// Each key of the design is a button or a link too, and the help names it.
func TestKeys_AreButtonsToo(t *testing.T) {
	z := startZoo(t)
	w := newTab(t)
	board := z.startDashboard()
	for path, keys := range map[string]string{"": "/ R c t ? r", "providers/ollama": "r d p c t ?"} {
		w.watchLive(board.url + path)
		for key := range strings.FieldsSeq(keys) {
			has := fmt.Sprintf(`document.querySelector('[data-key=%q]')?.checkVisibility()`, key)
			switch {
			case key == "/":
				has = `document.querySelector("#q").checkVisibility()`
			case key == "r" && path == "":
				has = `[...document.querySelectorAll("#rows tr[data-id] button")].filter(b => b.checkVisibility()).length == 6`
			}
			if !eval[bool](w, "Boolean("+has+")") {
				t.Errorf("%q has no control for the key %s", path, key)
			}
		}
	}
	help := eval[string](w, `document.querySelector("#help").textContent`)
	for _, key := range []string{"/", "j", "k", "Enter", "Esc", "r", "R", "d", "p", "c", "g", "t", "?"} {
		if !strings.Contains(help, key) {
			t.Errorf("the help does not name %s", key)
		}
	}
}

// Tab alone reaches every control once, in sight, and shows where it is.
func TestKeys_Tab(t *testing.T) {
	z := startZoo(t)
	w := newTab(t)
	board := z.startDashboard()
	for _, path := range []string{"", "providers/anthropic", "models", "events", "daemon"} {
		w.watchLive(board.url + path)
		eval[bool](w, `window.visited = [], document.activeElement.blur() || true`)
		const note = `(() => {
			const e = document.activeElement;
			if (e === document.body || visited.includes(e)) return "end";
			visited.push(e);
			const box = e.getBoundingClientRect(), style = getComputedStyle(e);
			if (style.outlineStyle == "none" && style.boxShadow == "none") return "no outline: " + e.outerHTML;
			if (box.bottom <= 0 || box.right <= 0 || box.top >= innerHeight || box.left >= innerWidth || box.width < 1) return "out of sight: " + e.outerHTML;
			return "";
		})()`
		for steps := 0; ; steps++ {
			w.press(kb.Tab)
			said := eval[string](w, note)
			if said == "end" {
				break
			}
			if said != "" {
				t.Errorf("%q: %s", path, said)
			}
			if steps > 300 {
				t.Fatalf("%q: Tab never comes to an end", path)
			}
		}
		missed := eval[[]string](w, `[...document.querySelectorAll("a[href], button, input, select, summary")].filter(e => e.type != "hidden" && e.checkVisibility() &&
			!visited.includes(e) && !e.closest("#rows tbody, dialog")).map(e => e.outerHTML)`)
		if len(missed) > 0 {
			t.Errorf("%q: Tab does not reach %s", path, strings.Join(missed, "\n"))
		}
		w.clean()
	}
}

// allowClipboard lets pages of the tab read what they copied.
func (w *tab) allowClipboard() {
	w.t.Helper()
	w.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for _, name := range []string{"clipboard-read", "clipboard-write"} {
			_, err := chromedp.CallBrowser(ctx, browserdomain.SetPermission, browserdomain.SetPermissionParams{
				Permission: &browserdomain.PermissionDescriptor{Name: name}, Setting: browserdomain.PermissionSettingGranted,
				BrowserContextID: chromedp.FromContext(ctx).BrowserContextID,
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// clipboardHas waits until the clipboard has one of these texts.
func (w *tab) clipboardHas(texts ...string) {
	w.t.Helper()
	var copied string
	until(w.t, "it is copied", func() bool {
		copied = eval[string](w, `navigator.clipboard.readText().catch(e => "cannot be read: " + e)`)
		for _, text := range texts {
			if strings.Contains(copied, text) {
				return true
			}
		}
		return false
	})
}

// generations are those of the newest refresh that each row has.
func (d *daemon) generations() map[string]int64 {
	d.t.Helper()
	of := map[string]int64{}
	for _, r := range d.rows() {
		of[r.ID] = r.Generation
	}
	return of
}

func (d *daemon) paused(id string) bool {
	d.t.Helper()
	for _, r := range d.rows() {
		if r.ID == id {
			return r.Paused
		}
	}
	d.t.Fatalf("there is no %s", id)
	return false
}
