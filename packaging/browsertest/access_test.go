package browsertest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A node is an element as a screen reader knows it.
type node struct{ role, name string }

// tree is the page as screen readers have it.
func (w *tab) tree() (nodes []node) {
	w.t.Helper()
	w.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		tree, err := chromedp.Call(ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		if err != nil {
			return err
		}
		text := func(v *accessibility.Value) string {
			if v == nil {
				return ""
			}
			return strings.Trim(string(v.Value), `" `)
		}
		for _, n := range tree.Nodes {
			if !n.Ignored {
				nodes = append(nodes, node{text(n.Role), text(n.Name)})
			}
		}
		return nil
	}))
	return nodes
}

// controls are the roles of elements that a person can operate.
var controls = []string{"button", "link", "textbox", "searchbox", "combobox", "checkbox", "radio", "tab", "menuitem", "DisclosureTriangle"}

// A screen reader finds a name and a role for every control, one heading of the first level, the
// parts of the page, and tables with captions.
func TestAccess_NamesAndRoles(t *testing.T) {
	z := startZoo(t)
	board := z.startDashboard()
	w := newTab(t)
	for _, view := range views {
		w.watchLive(board.url + view.path)
		count := map[string]int{}
		operable := 0
		var named []string
		for _, n := range w.tree() {
			count[n.role]++
			if slices.Contains(controls, n.role) {
				operable++
				if n.name == "" {
					t.Errorf("%q has a %s without a name", view.path, n.role)
				}
				if n.role == "button" {
					named = append(named, n.name)
				}
			}
			if n.role == "table" && n.name == "" {
				t.Errorf("%q has a table without a caption", view.path)
			}
		}
		elements := eval[int](w, `[...document.querySelectorAll("a[href], button, input, select, summary, textarea")].filter(e => e.type != "hidden" && e.checkVisibility()).length`)
		if operable < elements {
			t.Errorf("%q has %d controls, and screen readers are told of %d", view.path, elements, operable)
		}
		for role, want := range map[string]int{"banner": 1, "main": 1, "navigation": 1, "contentinfo": 1} {
			if count[role] != want {
				t.Errorf("%q has %d of the role %s, not %d", view.path, count[role], role, want)
			}
		}
		if n := eval[int](w, `document.querySelectorAll("h1").length`); n != 1 {
			t.Errorf("%q has %d headings of the first level", view.path, n)
		}
		if view.path == "" {
			for _, r := range z.rows() {
				if !slices.Contains(named, "Refresh "+r.ID) {
					t.Errorf("no button is called Refresh %s: %q", r.ID, named)
				}
			}
			if count["rowheader"] != 6 || count["columnheader"] < 5 {
				t.Errorf("the table has %d headers of rows and %d of columns", count["rowheader"], count["columnheader"])
			}
			if n := eval[int](w, `document.querySelectorAll('[aria-live="polite"], [role="status"]').length`); n != 1 {
				t.Errorf("%d regions speak politely", n)
			}
		}
		if unnamed := eval[int](w, `document.querySelectorAll("th:not([scope]), table:not(:has(caption)), svg:not([aria-hidden]):not([aria-label])").length`); unnamed > 0 {
			t.Errorf("%q has %d headers without a scope, tables without a caption, or pictures without a text", view.path, unnamed)
		}
	}
}

// prefer makes the browser's owner prefer a colour scheme.
func (w *tab) prefer(scheme string) {
	w.t.Helper()
	w.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	}))
}

// faint are the texts of the page whose contrast is below that of WCAG's level AA. Colours are
// drawn to read them, in whatever notation the style sheet has them.
const faint = `(() => {
	const brush = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
	const drawn = (colors, opacity) => {
		brush.globalAlpha = 1;
		brush.clearRect(0, 0, 1, 1);
		for (const color of colors) { brush.fillStyle = color; brush.fillRect(0, 0, 1, 1); }
		return [...brush.getImageData(0, 0, 1, 1).data];
	};
	const light = rgb => rgb.slice(0, 3).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
		.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
	const found = new Set();
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let text; text = texts.nextNode();) {
		const e = text.parentElement;
		if (!text.data.trim() || !e.checkVisibility({opacityProperty: true, visibilityProperty: true}) || e.closest(".unseen, .skip, noscript, [disabled]")) continue;
		const grounds = [];
		let opacity = 1;
		for (let p = e; p; p = p.parentElement) {
			const style = getComputedStyle(p);
			grounds.unshift(style.backgroundColor);
			opacity *= Number(style.opacity);
			if (p.matches("dialog")) break;
		}
		const style = getComputedStyle(e), ground = drawn(["white", ...grounds]);
		let ink = drawn([` + "`rgb(${ground[0]} ${ground[1]} ${ground[2]})`" + `, style.color]);
		ink = ink.map((c, i) => c * opacity + ground[i] * (1 - opacity));
		const [a, b] = [light(ink), light(ground)], ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		const size = parseFloat(style.fontSize), large = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
		if (ratio < (large ? 3 : 4.5)) found.add(ratio.toFixed(2) + " " + e.tagName + "." + e.className + " " + style.color + " on rgb(" + ground.slice(0, 3) + "): " + text.data.trim().slice(0, 40));
	}
	return [...found];
})()`

// Every text can be read in both colour schemes, which follow the system, and stay as a
// person chose.
func TestAccess_Contrast(t *testing.T) {
	z := startZoo(t)
	board := z.startDashboard()
	grounds := map[string]string{}
	for _, scheme := range []string{"light", "dark"} {
		w := newTab(t)
		w.prefer(scheme)
		for _, view := range views {
			w.watchLive(board.url + view.path)
			if view.path == "" {
				w.press("R")
				w.until(`/of 6/.test(document.querySelector("#toasts").textContent)`)
			}
			for _, text := range eval[[]string](w, faint) {
				t.Errorf("%q, %s: %s", view.path, scheme, text)
			}
		}
		grounds[scheme] = eval[string](w, `getComputedStyle(document.body).backgroundColor`)
		w.press("?")
		w.until(`document.querySelector("#help").open`)
		for _, text := range eval[[]string](w, faint) {
			t.Errorf("the help, %s: %s", scheme, text)
		}
		w.clean()
	}
	if grounds["light"] == grounds["dark"] {
		t.Errorf("both schemes have the background %s", grounds["light"])
	}
	// The measure itself: grey on white is not enough.
	w := newTab(t)
	w.open("data:text/html,<p style='color:%23888'>faint</p><p style='color:%23666'>readable</p>")
	if got := eval[[]string](w, faint); len(got) != 1 || !strings.Contains(got[0], "faint") {
		t.Errorf("of a faint and a readable text, the measure finds %q", got)
	}
}

// size sets the size of the window, in CSS pixels of scale² dots each.
func (w *tab) size(width, height int64, scale float64) {
	w.t.Helper()
	w.do(chromedp.EmulateViewport(width, height, chromedp.EmulateScale(scale)))
}

// tooWide are elements that stick out of the page to the right, where nothing scrolls.
const tooWide = `[...document.querySelectorAll("body *")].filter(e => e.checkVisibility() && !e.closest(".unseen, .skip, pre, .scroll, svg") &&
	e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.outerHTML.slice(0, 120))`

// The page never scrolls sideways: on a phone, on the largest screens, or enlarged.
func TestAccess_Sizes(t *testing.T) {
	z := startZoo(t)
	board := z.startDashboard()
	w := newTab(t)
	for _, size := range []struct {
		name          string
		width, height int64
		scale         float64
	}{{"360 px", 360, 740, 1}, {"320 px", 320, 640, 2}, {"1280 px at 200 %", 640, 450, 2}, {"1280 px at 400 %", 320, 225, 4}, {"4K", 3840, 2160, 1}} {
		w.size(size.width, size.height, size.scale)
		for _, view := range views {
			w.watchLive(board.url + view.path)
			if wide := eval[int](w, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
				t.Errorf("%q, %s: %d px too wide: %s", view.path, size.name, wide, strings.Join(eval[[]string](w, tooWide), "\n"))
			}
			if view.path == "" {
				for _, r := range z.rows() {
					// A row that is out of sight is not laid out.
					w.until(fmt.Sprintf(`(row => {
						row.scrollIntoView({block: "center"});
						return ["a", ".state", "button"].every(s => {
							const part = row.querySelector(s), box = part.getBoundingClientRect();
							return part.checkVisibility() && box.width >= 1 && box.right <= innerWidth + 1;
						});
					})(document.querySelector('#rows tr[data-id="%s"]'))`, r.ID))
				}
			}
		}
	}
}
