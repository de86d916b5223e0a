package browsertest

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// crowded is how many providers the dashboard has to cope with.
const crowded = 1000

// The goals. Times are compared with those of an empty page in the same run. The limits are
// generous, because the machine may be busy; -v reports the times.
const (
	paintGoal, frameGoal = 1000.0, 100.0 // milliseconds beyond an empty page
	generously           = 3
	memoryGoal           = 25 << 20
	assetsGoal           = 60_000 // bytes
)

// startCrowd starts a daemon with a thousand providers at one server, and probes each once.
func startCrowd(t *testing.T) (*daemon, *server) {
	t.Helper()
	s := serve(t, status(200, "{}"))
	var config strings.Builder
	config.WriteString("[defaults]\ntimeout = \"60s\"\nslow_after = \"60s\"\ninterval = \"1h\"\nfall = 1\n")
	for i := range crowded {
		fmt.Fprintf(&config, "[[provider]]\nid = \"p%03d\"\nkind = \"http\"\nbase_url = %q\n", i, s.url())
	}
	d := startDaemon(t, config.String())
	d.settled()
	return d, s
}

// firstPaint is when the page that a tab opens shows something, in milliseconds since it was asked for.
func (w *tab) firstPaint(url string) float64 {
	w.t.Helper()
	w.open(url)
	return eval[float64](w, `new Promise(done => new PerformanceObserver(list => {
		for (const entry of list.getEntriesByName("first-contentful-paint")) done(entry.startTime);
	}).observe({type: "paint", buffered: true}))`)
}

// recordFrames notes in the page when each frame begins, and from when to when rows changed.
const recordFrames = `(() => {
	window.frames = [], window.changed = [];
	new MutationObserver(() => changed.push(performance.now())).observe(document.body, {subtree: true, attributeFilter: ["data-state"]});
	(function frame(own) {
		requestAnimationFrame(now => { if (frames === own) { own.push(now); frame(own); } });
	})(frames);
})()`

// framesOf are how long the frames took, in milliseconds, of a page from the first change until just
// after the last; of a page that did not change, all of them.
const framesOf = `frames.map((at, i) => [at, at - frames[i - 1]]).slice(1)
	.filter(([at]) => !changed.length || at > changed[0] && at <= changed.at(-1) + 200).map(([, took]) => took)`

func TestCrowd(t *testing.T) {
	d, s := startCrowd(t)
	board := d.startDashboard()
	empty := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!doctype html><html lang="en"><title>Empty</title><p>nothing`)
	})
	rows, nothing := newTab(t), newTab(t)
	rows.open(board.url) // warms both up
	nothing.open(empty.url() + "/")

	t.Run("FirstPaint", func(t *testing.T) {
		var full, base []float64
		for range 5 {
			full = append(full, rows.firstPaint(board.url))
			base = append(base, nothing.firstPaint(empty.url()+"/"))
		}
		beyond := quantile(full, 0.5) - quantile(base, 0.5)
		t.Logf("first paint of %d rows: %.0f ms, %.0f ms beyond an empty page's (goal: %.0f)", crowded, quantile(full, 0.5), beyond, paintGoal)
		if beyond > generously*paintGoal {
			t.Errorf("the first paint comes %.0f ms after an empty page's: %v and %v", beyond, full, base)
		}
	})

	t.Run("Storm", func(t *testing.T) {
		rows.until(shows(crowded, "RUNNING"))
		var full, base []float64
		for _, state := range []string{"ERROR", "RUNNING", "ERROR", "RUNNING"} {
			s.answer(map[string]http.HandlerFunc{"RUNNING": status(200, "{}"), "ERROR": status(403, "{}")}[state])
			rows.do(chromedp.Evaluate[chromedp.Void](recordFrames))
			nothing.do(chromedp.Evaluate[chromedp.Void](recordFrames))
			d.ask("POST", "/api/providers/refresh", nil)
			until(t, "all are "+state, func() bool {
				return !slices.ContainsFunc(d.rows(), func(r row) bool { return r.State != state })
			})
			rows.until(shows(crowded, state))
			full = append(full, eval[[]float64](rows, framesOf)...)
			base = append(base, eval[[]float64](nothing, framesOf)...)
		}
		beyond := quantile(full, 0.95) - quantile(base, 0.95)
		t.Logf("storms of %d changes: 95 %% of %d frames within %.0f ms, %.0f ms beyond an empty page's (goal: %.0f); the longest took %.0f",
			crowded, len(full), quantile(full, 0.95), beyond, frameGoal, slices.Max(full))
		if beyond > generously*frameGoal {
			t.Errorf("the 95th percentile of frames is %.0f ms beyond an empty page's", beyond)
		}
		if reloaded := eval[int](rows, `performance.getEntriesByType("navigation").length - 1`); reloaded != 0 {
			t.Error("the page was reloaded")
		}
	})

	t.Run("Memory", func(t *testing.T) {
		loadAtOnce(t, 8, board.url)
		rss := mostResident(t, board.pid)
		t.Logf("most resident memory of the program in storms and with 8 loads at once: %.1f MiB (goal: %d)", float64(rss)/(1<<20), memoryGoal>>20)
		if rss > memoryGoal {
			t.Errorf("the program takes %.1f MiB", float64(rss)/(1<<20))
		}
	})

	t.Run("Assets", func(t *testing.T) {
		w := newTab(t)
		w.open(board.url)
		w.until(`document.readyState == "complete"`)
		type asset struct {
			Name string
			Size int
		}
		total := 0
		for _, a := range eval[[]asset](w, `performance.getEntriesByType("resource").filter(e => /\.(js|css|svg|png|woff2?)$/.test(new URL(e.name).pathname))
			.map(e => ({Name: e.name.split("/").pop(), Size: e.decodedBodySize}))`) {
			t.Logf("%s: %d bytes", a.Name, a.Size)
			total += a.Size
		}
		t.Logf("assets: %d bytes (goal: %d)", total, assetsGoal)
		if total == 0 || total > assetsGoal {
			t.Errorf("the assets have %d bytes", total)
		}
	})
	rows.clean()
}

// shows is whether a page has that many rows in that state.
func shows(n int, state string) string {
	return fmt.Sprintf(`document.querySelectorAll('tr[data-id][data-state="%s"]').length == %d`, state, n)
}

// quantile is the value below which that share of the values lies.
func quantile(values []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}

// loadAtOnce loads a page as often as n tabs do that open together.
func loadAtOnce(t *testing.T, n int, url string) {
	t.Helper()
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			res, err := http.Get(url)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if n, err := io.Copy(io.Discard, res.Body); n < crowded || err != nil {
				t.Errorf("%s: %d bytes, %v", res.Status, n, err)
			}
		})
	}
	all.Wait()
}

// mostResident is the most resident memory that the dashboard's program has had: of this
// process, which became it, or of its child.
func mostResident(t *testing.T, pid int) (bytes int) {
	t.Helper()
	for _, pid := range append(children(t, pid), pid) {
		exe, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "exe"))
		if err != nil || filepath.Base(exe) != "providerctl-dashboard" {
			continue
		}
		status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(status)) {
			if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
				if _, err := fmt.Sscanf(rest, "%d kB", &bytes); err != nil {
					t.Fatal(err)
				}
				return bytes << 10
			}
		}
	}
	t.Fatalf("process %d is not the dashboard", pid)
	return 0
}

func children(t *testing.T, pid int) (pids []int) {
	t.Helper()
	list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		t.Fatal(err)
	}
	for field := range strings.FieldsSeq(string(list)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, child)
	}
	return pids
}
