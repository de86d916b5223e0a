package browsertest

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	browserdomain "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// patience is how long a condition may take on a busy machine. Nothing waits so long unless it fails.
const patience = 30 * time.Second

// rebound is a name that this browser resolves to 127.0.0.1, as an attacker's does after DNS rebinding.
const rebound = "rebound.example"

// A browser is a running Chromium.
type browser struct {
	ctx   context.Context
	close func()
}

// startBrowser starts Debian's Chromium with an empty profile. It resolves no other name
// than rebound, so nothing leaves this machine.
func startBrowser(profile string) (*browser, error) {
	path := ""
	for _, name := range []string{"chromium-headless-shell", "chromium", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return nil, errors.New("there is no Chromium: install it; on Debian, .ci/run browser does")
	}
	options := append([]chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP "+rebound+" 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.Flag("force-prefers-reduced-motion", true),
		chromedp.WindowSize(1280, 900),
	}, chromedp.DefaultExecAllocatorOptions[:]...)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		stop()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return &browser{ctx: ctx, close: func() { cancel(); stop() }}, nil
}

// A tab is a page of the browser, with a profile of its own.
type tab struct {
	t   testing.TB
	ctx context.Context
}

// watch is run in each document before its own scripts. It notes what no page of ours may
// do: CDP's log misses violations of the policy that happen early.
const watch = `
	window.seen = {violations: [], errors: []};
	addEventListener("securitypolicyviolation", e => seen.violations.push(
		[e.effectiveDirective, e.blockedURI, e.sample, e.sourceFile + ":" + e.lineNumber].join(" ")));
	addEventListener("error", e => seen.errors.push(String(e.message || "not loaded: " + (e.target.src || e.target.href))), true);
	addEventListener("unhandledrejection", e => seen.errors.push("unhandled: " + String(e.reason && e.reason.stack || e.reason)));`

// newTab opens an empty tab, which is closed at the end of the test.
func newTab(t testing.TB) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(chromium.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	w := &tab{t, ctx}
	if err := chromedp.Do(ctx); err != nil { // the first use of a context decides how long its tab lives
		t.Fatal(err)
	}
	w.onEachPage(watch)
	return w
}

// onEachPage runs a script in each document of a tab before its own scripts.
func (w *tab) onEachPage(script string) {
	w.t.Helper()
	w.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	}))
}

// do runs actions, and ends the test if one fails.
func (w *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		w.t.Fatalf("%v\nthe page: %.2000s", err, w.text())
	}
}

// open loads a page, and returns when it and what it needs are there.
func (w *tab) open(url string) {
	w.t.Helper()
	w.do(chromedp.Navigate(url))
}

// text is what the page shows, as far as it can be read.
func (w *tab) text() string {
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
	if err != nil {
		return "cannot be read: " + err.Error()
	}
	return text
}

// eval is the value of an expression in the page.
func eval[T any](w *tab, expression string) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		w.t.Fatalf("%.300s: %v\nthe page: %.2000s", expression, err, w.text())
	}
	return value
}

// until waits for an expression to be true. It survives navigations: the page may be another one by then.
func (w *tab) until(expression string) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		true_, err := chromedp.Run(w.ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		if err == nil && true_ {
			return
		}
		if w.ctx.Err() != nil || time.Now().After(deadline) {
			w.t.Fatalf("it is never true: %s (%v)\nthe page at %s: %.3000s", expression, err, w.location(), w.text())
		}
		<-time.After(3 * time.Millisecond)
	}
}

// press presses keys, as kb names those without a character. The text of a key comes with its
// keydown, unlike with chromedp.KeyEvent, so that a page which handles the key prevents it.
func (w *tab) press(keys ...string) {
	w.t.Helper()
	for _, key := range keys {
		w.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			events := kb.Encode([]rune(key)[0])
			if len(events) == 3 { // keydown, char, keyup
				events[0].Text = events[1].Text
				events = slices.Delete(events, 1, 2)
			}
			for _, event := range events {
				if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, *event); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

func (w *tab) location() string {
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	url, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		return err.Error()
	}
	return url
}

// clean fails the test if the page broke the policy, or if one of its scripts failed.
func (w *tab) clean() {
	w.t.Helper()
	for _, what := range []string{"violations", "errors"} {
		if seen := eval[[]string](w, "seen."+what); len(seen) > 0 {
			w.t.Errorf("%s at %s:\n%s", what, w.location(), strings.Join(seen, "\n"))
		}
	}
}

// leads runs a script that navigates to an address, and returns the HTTP status.
func (w *tab) leads(script, at string) int {
	w.t.Helper()
	w.do(chromedp.Evaluate[chromedp.Void](script))
	w.until(fmt.Sprintf(`location.href.startsWith(%q) && document.readyState == "complete"`, at))
	return eval[int](w, `performance.getEntriesByType("navigation")[0].responseStatus`)
}

// hide puts the tab's window away, or back.
func (w *tab) hide(hidden bool) {
	w.t.Helper()
	w.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		window, err := chromedp.Call(ctx, browserdomain.GetWindowForTarget, browserdomain.GetWindowForTargetParams{})
		if err != nil {
			return err
		}
		state := browserdomain.WindowStateNormal
		if hidden {
			state = browserdomain.WindowStateMinimized
		}
		_, err = chromedp.Call(ctx, browserdomain.SetWindowBounds, browserdomain.SetWindowBoundsParams{
			WindowID: window.WindowID, Bounds: &browserdomain.Bounds{WindowState: state}})
		return err
	}))
	want := "visible"
	if hidden {
		want = "hidden"
	}
	w.until(fmt.Sprintf("document.visibilityState == %q", want))
}
