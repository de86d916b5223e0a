package page_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/dashboard/page"
	"github.com/providerd/providerd/ctl/units"
	"github.com/providerd/providerd/store/provider"
)

// A machine carries out actions as a test says.
type machine struct {
	asked chan ctl.Action
	end   chan result
}

// A result is how an action ends.
type result struct {
	report *ctl.ActionReport
	err    error
}

func (m *machine) act(ctx context.Context, what ctl.Action) (*ctl.ActionReport, error) {
	what.Step("waiting until " + what.ID + " is usable")
	m.asked <- what
	select {
	case r := <-m.end:
		return r.report, r.err
	case <-ctx.Done():
		return &ctl.ActionReport{}, ctx.Err()
	}
}

func (m *machine) ends(r *ctl.ActionReport, err error) {
	m.end <- result{r, err}
}

// owned are two local servers. Systemd runs one of them.
func owned() []provider.Status {
	rows := mixed()
	for i := range rows {
		if rows[i].ID == "ollama" {
			rows[i].Client = &provider.Client{Unit: "ollama.service", Bus: "system"}
		}
	}
	return rows
}

// acting are views whose actions a machine carries out.
func acting(t *testing.T, d *daemon) (*machine, http.Handler) {
	m := &machine{asked: make(chan ctl.Action, 1), end: make(chan result)}
	actions := page.NewActions(m.act)
	t.Cleanup(actions.Close)
	return m, views(d, func(o *page.Options) { o.Actions = actions })
}

const ofOllama = base + "providers/ollama"

// press sends the form of a button, and returns the view that comes back.
func press(t *testing.T, h http.Handler, what string) string {
	t.Helper()
	w := post(h, base+"do/"+what, "nonce", "n0nce", "provider_id", "ollama", "back", ofOllama)
	if w.Code != http.StatusSeeOther {
		t.Fatalf("%s is answered %d", what, w.Code)
	}
	return get(t, h, w.Header().Get("Location"), 200)
}

// settled is the view once an action has ended.
func settled(t *testing.T, h http.Handler) string {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if source := get(t, h, ofOllama, 200); !strings.Contains(source, "data-running") {
			return source
		}
	}
	t.Fatal("it is still in progress")
	return ""
}

// A form without scripts starts a unit, the view shows how it goes on, and then the result.
func TestActions_AreShownUntilTheyEnd(t *testing.T) {
	m, h := acting(t, startDaemon(t, owned()...))
	press(t, h, "start")
	if what := <-m.asked; what.ID != "ollama" || what.Verb != units.Start || what.Terminal != nil {
		t.Errorf("asked for %+v", what)
	}
	source := get(t, h, ofOllama, 200)
	mustHave(t, "the view", source, "data-running", `content="2"`, "<button disabled>Start</button>")
	mustHave(t, "the view", text(t, source), "Start of ollama.service in progress", "waiting until ollama is usable")
	mustHave(t, "another", text(t, press(t, h, "stop")), "could not stop ollama", "start of ollama.service is in progress", "one action at a time")
	m.ends(&ctl.ActionReport{Unit: "ollama.service", Result: "ollama is RUNNING", Warnings: []string{"unit file changed"}}, nil)
	source = settled(t, h)
	mustHave(t, "the view", text(t, source), "Start of ollama.service done", "ollama is RUNNING", "systemctl: unit file changed")
	if strings.Contains(source, "<button disabled") {
		t.Error("a button stays disabled")
	}
	press(t, h, "stop")
	if what := <-m.asked; what.Verb != units.Stop {
		t.Errorf("asked for %+v", what)
	}
	m.ends(&ctl.ActionReport{Unit: "ollama.service", Result: "ollama is STOPPED"}, nil)
}

// A failure is shown with its hint and the last lines of the journal, as texts.
func TestActions_ThatFailShowTheJournal(t *testing.T) {
	m, h := acting(t, startDaemon(t, owned()...))
	press(t, h, "restart")
	<-m.asked
	m.ends(&ctl.ActionReport{Unit: "ollama.service", Journal: []string{"<script>alert(1)</script>", "red \x1b[31m \u202eback"}},
		provider.Errorf("", "see: journalctl --unit=ollama.service", "ollama.service did not restart: it is failed <b>"))
	source := settled(t, h)
	mustHave(t, "the view", text(t, source), "Restart of ollama.service failed", "did not restart: it is failed <b> → see: journalctl --unit=ollama.service",
		"the journal of ollama.service:", "<script>alert(1)</script> red \\x1b[31m")
	if strings.Contains(source, "<script>alert") || strings.ContainsAny(source, "\x1b\u202e") || strings.Contains(source, "failed <b>") {
		t.Error("the journal is not shown as text")
	}
}

// Stop and restart ask first, without scripts too.
func TestActions_AskBeforeTheyStop(t *testing.T) {
	_, h := acting(t, startDaemon(t, owned()...))
	source := get(t, h, ofOllama, 200)
	mustHave(t, "the view", text(t, source), "Stop ollama.service ? Nothing serves ollama until it is started again. Stop ollama", "Restart ollama.service ?")
	for _, what := range []string{"stop", "restart"} {
		before, _, _ := strings.Cut(source, base+"do/"+what)
		if strings.LastIndex(before, `<details class="sure"`) < strings.LastIndex(before, "</details>") {
			t.Errorf("%s does not ask", what)
		}
	}
}

func TestActions_AreOfferedForUnitsOnly(t *testing.T) {
	d := startDaemon(t, owned()...)
	m, h := acting(t, d)
	for name, source := range map[string]string{
		"a provider without a unit": get(t, h, base+"providers/lmstudio", 200),
		"a read-only dashboard":     get(t, views(d, func(o *page.Options) { o.ReadOnly, o.Actions = true, page.NewActions(m.act) }), ofOllama, 200),
		"a page that can do none":   get(t, views(d), ofOllama, 200),
	} {
		for _, what := range []string{"start", "stop", "restart"} {
			if strings.Contains(source, "do/"+what) {
				t.Errorf("%s offers %s", name, what)
			}
		}
	}
	w := post(h, base+"do/start", "nonce", "n0nce", "provider_id", "lmstudio", "back", base)
	mustHave(t, "the message", said(t, h, w, base), "could not start lmstudio", "no unit is configured for lmstudio")
	w = post(views(d), base+"do/start", "nonce", "n0nce", "provider_id", "ollama", "back", base)
	if w.Code != http.StatusSeeOther || len(m.asked) > 0 {
		t.Errorf("%d, and %d were begun", w.Code, len(m.asked))
	}
}

// The end of the dashboard ends the wait, and a result is not shown for ever.
func TestActions_End(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &machine{asked: make(chan ctl.Action, 1)}
		actions := page.NewActions(m.act)
		if err := actions.Begin("ollama", units.Unit{Name: "ollama.service"}, units.Stop); err != nil {
			t.Fatal(err)
		}
		<-m.asked
		actions.Close()
		if !actions.Shown("ollama") {
			t.Error("the result is not shown")
		}
		time.Sleep(11 * time.Minute)
		if actions.Shown("ollama") {
			t.Error("the result is shown for ever")
		}
	})
}

// An event shows who did what may have caused it.
func TestEvents_ShowTheAction(t *testing.T) {
	d := startDaemon(t, owned()...)
	d.events = []provider.Event{{Seq: firstEvent, Time: ago(time.Minute), ID: "ollama", From: provider.StateRunning, To: provider.StateStopped,
		Reason: provider.ConnectionRefused, Action: &provider.Action{Name: "stop", By: "uid 1000"}}}
	mustHave(t, "the events", text(t, get(t, views(d), base+"events", 200)), "STOPPED connection_refused after stop by uid 1000")
}
