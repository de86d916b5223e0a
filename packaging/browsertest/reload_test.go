package browsertest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// configure reloads the daemon with another configuration.
func (d *daemon) configure(config string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, "c.toml"), []byte(config), 0o600); err != nil {
		d.t.Fatal(err)
	}
	d.ask("POST", "/api/daemon/reload", nil)
}

// A page that was opened without providers shows those that a reload adds, moves and removes,
// in the order of the daemon, and with as many cells as its head has.
func TestReload_UnderAnOpenPage(t *testing.T) {
	s := serve(t, ollama(qwen))
	config := func(ids ...string) string {
		var b strings.Builder
		b.WriteString("[defaults]\ninterval = \"1h\"\n")
		for _, id := range ids {
			fmt.Fprintf(&b, "[[provider]]\nid = %q\nkind = \"ollama\"\nbase_url = %q\n", id, s.url())
		}
		return b.String()
	}
	d := startDaemon(t, config())
	w := newTab(t)
	w.watchLive(d.startDashboard().url)
	w.until(`document.querySelector("#none").checkVisibility()`)
	for _, ids := range [][]string{{"a"}, {"a", "b", "c"}, {"x", "a", "b", "c"}, {"y", "c", "a"}, {"c"}, {}} {
		d.configure(config(ids...))
		w.until(fmt.Sprintf(`[...document.querySelectorAll("#rows tbody tr")].map(r => r.dataset.id).join() == %q`, strings.Join(ids, ",")))
		w.until(`[...document.querySelectorAll("#rows tbody tr")].every(r => r.cells.length == document.querySelector("#rows").tHead.rows[0].cells.length)`)
	}
	w.until(`document.querySelector("#none").checkVisibility()`)
	w.stayed()
	w.clean()
}

// A page at the address of a filter shows all rows when the filter is cleared, and another
// choice of rows keeps what is typed into it.
func TestFilter_FromTheAddress(t *testing.T) {
	z := startZoo(t)
	w := newTab(t)
	w.watchLive(z.startDashboard().url + "?q=ollama&sort=id")
	visible := `[...document.querySelectorAll("#rows tbody tr")].filter(r => r.checkVisibility()).map(r => r.dataset.id).join()`
	w.until(visible + ` == "ollama"`)
	typed := func(text string) {
		eval[bool](w, fmt.Sprintf(`(q => { q.value = %q; return q.dispatchEvent(new Event("input", {bubbles: true})) })(document.querySelector("#q"))`, text))
	}
	typed("")
	w.until(visible + ` == "anthropic,llamacpp,lmstudio,ollama,openai,vllm"`)
	typed("llm")
	w.until(visible + ` == "vllm"`)
	w.until(`[...document.querySelectorAll("#shows a")].every(a => new URL(a.href).searchParams.get("q") == "llm")`)
	w.stayed()
	w.clean()
}

// Of a stream that breaks off, the page says that the daemon is silent, not that the dashboard
// has ended, which is what it says when nobody answers at all.
func TestLive_AStreamThatBreaksOff(t *testing.T) {
	z := startZoo(t)
	w := newTab(t)
	w.onEachPage(`(() => {
		const real = fetch;
		let broken = false;
		window.fetch = (url, options) => {
			if (broken || !String(url).includes("api/events?follow")) return real(url, options);
			broken = true;
			return Promise.resolve(new Response(new ReadableStream({pull(c) {
				return new Promise(() => addEventListener("break", () => c.error(new TypeError("network error"))));
			}}, {highWaterMark: 1})));
		};
	})()`)
	w.watchLive(z.startDashboard().url)
	eval[bool](w, `(banner => {
		window.said = [];
		new MutationObserver(() => said.push(banner.textContent)).observe(banner, {childList: true, characterData: true, subtree: true});
		return dispatchEvent(new Event("break"));
	})(document.querySelector("#banner"))`)
	w.until(`said.length > 0`)
	w.until(connected)
	if said := eval[[]string](w, "said"); len(said) != 1 || !strings.Contains(said[0], "daemon") || !strings.Contains(said[0], "providerctl health") {
		t.Errorf("the banner says %q", said)
	}
	w.stayed()
	w.clean()
}
