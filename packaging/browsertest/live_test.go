package browsertest

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// connected is whether the page's stream of events is open.
const connected = `document.querySelector("#live[data-on]")`

// rowIs is whether the page shows a provider in a state.
func rowIs(id, state string) string {
	return fmt.Sprintf(`document.querySelector('#rows tr[data-id="%s"][data-state="%s"]')`, id, state)
}

// watchLive opens a page of the dashboard and waits for its stream of events. If it is
// loaded again, it is no longer marked.
func (w *tab) watchLive(url string) {
	w.t.Helper()
	w.open(url)
	w.until(connected)
	eval[bool](w, `window.marked = true`)
}

// stayed fails the test if the page was loaded again.
func (w *tab) stayed() {
	w.t.Helper()
	if !eval[bool](w, `window.marked === true`) {
		w.t.Error("the page was loaded again")
	}
}

// The row of a server that dies changes at once, in the page that is there. Its next probe
// would be in an hour.
func TestLive_AServerThatDies(t *testing.T) {
	z := startZoo(t)
	w := newTab(t)
	w.watchLive(z.startDashboard().url)
	w.until(rowIs("ollama", "RUNNING"))
	began := time.Now()
	z.ollama.kill()
	w.until(rowIs("ollama", "STOPPED"))
	t.Logf("from the death of a server to its row: %v", time.Since(began).Round(time.Millisecond))
	w.until(`document.querySelector("#news").textContent.includes("ollama")`) // for screen readers
	w.until(`!document.querySelector("#pick").textContent.includes("ollama")`)
	z.ollama.revive()
	z.ask("POST", "/api/providers/refresh?provider_id=ollama&wait=20s", nil)
	w.until(rowIs("ollama", "RUNNING"))
	w.stayed()
	w.clean()
}

// After "Refresh all", a toast names each that failed, why, and what to do.
func TestLive_RefreshAllNamesWhoFailed(t *testing.T) {
	z := startZoo(t)
	w := newTab(t)
	w.watchLive(z.startDashboard().url)
	answer := make(chan bool)
	z.lmstudio.answer(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-answer:
		case <-r.Context().Done():
		}
		lmstudio(w, r)
	})
	eval[bool](w, `document.querySelector("#refresh-all button").click() || true`)
	// Meanwhile it says how far it is, and which provider it waits for.
	w.until(`document.querySelector("#refresh-all button").textContent.includes("5 of 6")`)
	waiting := eval[[]string](w, `[...document.querySelectorAll('#rows tr[aria-busy="true"]')].map(r => r.dataset.id)`)
	if !slices.Equal(waiting, []string{"lmstudio"}) {
		t.Errorf("it waits for %q", waiting)
	}
	close(answer)
	w.until(`/2 of 6/.test(document.querySelector("#toasts").textContent)`)
	toast := eval[string](w, `document.querySelector("#toasts").textContent`)
	for _, r := range z.rows() {
		if r.ID != "anthropic" && r.ID != "vllm" {
			continue
		}
		for _, part := range []string{r.ID, r.Detail, z.spelled(r.Hint)} {
			if !strings.Contains(toast, part) {
				t.Errorf("no toast says %q: %s", part, toast)
			}
		}
	}
	if strings.Contains(toast, "lmstudio") {
		t.Errorf("the toast names one that did not fail: %s", toast)
	}
	w.stayed()
	w.clean()
}

// The daemon may go: the page says so, and marks what it shows. When the daemon is back, the
// page continues where it was: every event is there, and there once.
func TestLive_TheDaemonRestarts(t *testing.T) {
	z := startZoo(t)
	board := z.startDashboard()
	rows, events := newTab(t), newTab(t)
	rows.watchLive(board.url)
	events.watchLive(board.url + "events")
	before, after := z.eventNumbers(), events.resumptions()
	z.stop()
	for _, w := range []*tab{rows, events} {
		w.until(`document.body.hasAttribute("data-lost")`)
		w.until(`document.querySelector("#banner").checkVisibility()`)
		banner := eval[string](w, `document.querySelector("#banner").innerText`)
		if !strings.Contains(banner, "daemon") && !strings.Contains(banner, "providerd") {
			t.Errorf("the banner says: %s", banner)
		}
	}
	stale := eval[int](rows, `[...document.querySelectorAll("#rows tbody tr")].filter(r => /stale/.test(r.innerText)).length`)
	if stale != 6 {
		t.Errorf("%d of 6 rows are labelled as stale", stale)
	}
	z.ollama.kill()
	z.start()
	for _, w := range []*tab{rows, events} {
		w.until(connected)
		w.until(`!document.body.hasAttribute("data-lost") && !document.querySelector("#banner").checkVisibility()`)
	}
	rows.until(rowIs("ollama", "STOPPED"))
	z.ollama.revive()
	z.ask("POST", "/api/providers/refresh?provider_id=ollama&wait=20s", nil)
	rows.until(rowIs("ollama", "RUNNING"))
	want := z.eventNumbers()
	shown := `[...document.querySelectorAll("#events [data-seq]")].map(e => Number(e.dataset.seq))`
	events.until(fmt.Sprintf(`%s.includes(%d)`, shown, want[len(want)-1]))
	got := eval[[]int64](events, shown)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the page has the events %d, and the daemon %d", got, want)
	}
	for _, since := range after() {
		if since < before[len(before)-1] {
			t.Errorf("the page asks for the events after %d, and has all up to %d", since, before[len(before)-1])
		}
	}
	if len(after()) == 0 {
		t.Error("the page never asked again")
	}
	for _, w := range []*tab{rows, events} {
		w.stayed()
		w.clean()
	}
}

// eventNumbers are those of all events, in order.
func (d *daemon) eventNumbers() (numbers []int64) {
	d.t.Helper()
	for _, e := range d.events() {
		numbers = append(numbers, e.Seq)
	}
	return numbers
}

// If the events after the page's last one are gone, because the daemon came back with another
// database, the page takes everything from the new one.
func TestLive_AnotherDatabase(t *testing.T) {
	z := startZoo(t)
	w := newTab(t)
	w.watchLive(z.startDashboard().url)
	z.stop()
	w.until(`document.body.hasAttribute("data-lost")`)
	if err := os.RemoveAll(filepath.Join(z.dir, "state")); err != nil {
		t.Fatal(err)
	}
	z.ollama.kill()
	z.start()
	w.until(rowIs("ollama", "STOPPED"))
	w.until(connected)
	z.lmstudio.kill()
	w.until(rowIs("lmstudio", "STOPPED"))
	w.clean()
}

// A hidden tab closes its stream, and catches up when it is shown again.
func TestLive_AHiddenTab(t *testing.T) {
	z := startZoo(t)
	w := newTab(t)
	w.watchLive(z.startDashboard().url)
	until(t, "the stream is open", func() bool { return z.streams() == 1 })
	w.hide(true)
	until(t, "the stream is closed", func() bool { return z.streams() == 0 })
	z.ollama.kill()
	until(t, "the daemon sees it", func() bool {
		return slices.ContainsFunc(z.rows(), func(r row) bool { return r.ID == "ollama" && r.State == "STOPPED" })
	})
	if !eval[bool](w, "Boolean("+rowIs("ollama", "RUNNING")+")") {
		t.Error("a hidden tab follows what happens")
	}
	w.hide(false)
	w.until(rowIs("ollama", "STOPPED"))
	w.until(connected)
	w.stayed()
	w.clean()
}

// While nothing changes, the page sends no request, although the daemon probes.
func TestLive_AtRest(t *testing.T) {
	t.Parallel()
	z := startZoo(t)
	w := newTab(t)
	w.watchLive(z.startDashboard().url)
	requests, beats := w.countTraffic()
	first, before := requests(), beats()
	until(t, "a heartbeat", func() bool { return beats() > before })
	if n := requests() - first; n != 0 {
		t.Errorf("until the first heartbeat the page sent %d requests", n)
	}
	w.clean()
}
