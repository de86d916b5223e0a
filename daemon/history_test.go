package daemon

import (
	"math"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// history asks for a history, and checks that it adds up: what it says of the window is the sum
// of its buckets, which are in order and of known time only, and the last one is open.
func (r *running) history(path string) provider.HistoryReply {
	r.t.Helper()
	var h provider.HistoryReply
	if status, body := r.call("GET", path, &h); status != http.StatusOK {
		r.t.Fatalf("%s: %d %s", path, status, body)
	}
	var sum provider.Spent
	var probes uint64
	for i, b := range h.Buckets {
		if i > 0 && !b.Time.After(h.Buckets[i-1].Time.Time) || b.Time.Before(h.Window.From.Time) || b.KnownSeconds > h.Window.StepOf().Seconds() {
			r.t.Errorf("%s: bucket %d: %+v", path, i, b)
		}
		inStates := 0.0
		for _, seconds := range b.StateSeconds {
			inStates += seconds
		}
		if math.Abs(inStates-b.KnownSeconds) > 0.01 || b.UsableSeconds > b.KnownSeconds+0.01 || b.OK > b.Probes {
			r.t.Errorf("%s: bucket %d does not add up: %+v", path, i, b)
		}
		sum.Add(b.Spent)
		probes += b.Probes
	}
	if n := len(h.Buckets); n == 0 || h.Buckets[n-1].Time.Add(h.Window.StepOf()).Before(h.Window.Until.Time) {
		r.t.Errorf("%s: the last bucket is not the open one: %+v", path, h.Buckets)
	}
	if math.Abs(sum.KnownSeconds-h.KnownSeconds) > 0.01 || math.Abs(sum.UsableSeconds-h.UsableSeconds) > 0.01 || probes != h.Probed.Probes {
		r.t.Errorf("%s: %+v, and its buckets add up to %+v and %d probes", path, h, sum, probes)
	}
	if !h.Since.IsZero() && h.KnownSeconds > h.Window.Until.Sub(h.Since.Time).Seconds()+0.01 {
		r.t.Errorf("%s: %v s are known since %s, at %s", path, h.KnownSeconds, h.Since, h.Window.Until)
	}
	return h
}

// entry is a provider's in GET /api/history, which must agree with its own history; false: it has
// none.
func (r *running) entry(id string) (provider.History, bool) {
	r.t.Helper()
	var all provider.HistoriesReply
	if status, body := r.call("GET", "/api/history?window=2d", &all); status != http.StatusOK {
		r.t.Fatalf("%d %s", status, body)
	}
	for _, h := range all.Providers {
		if len(h.Up) != len(all.Times) || len(h.Usable) != len(all.Times) || len(h.Known) != len(all.Times) {
			r.t.Errorf("%d, %d and %d for %d times", len(h.Up), len(h.Usable), len(h.Known), len(all.Times))
		}
		if h.ID == id {
			return h, true
		}
	}
	return provider.History{}, false
}

// A provider that is up, down, up again and paused; then the daemon restarts, and the provider is
// removed and returns. Its history is that of all of it, and what nobody watched is unknown.
func TestHistory_OverOutagesPausesAndRestarts(t *testing.T) {
	var broken atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(server.Close)
	const path = "/api/providers/a/history?window=1d"
	text := "[defaults]\nfall = 1\ninterval = \"1h\"\n" + httpProvider("a", server.URL)
	refresh := func(r *running) { r.call("POST", "/api/providers/refresh?provider_id=a&wait=5m", nil) }

	r := runDaemon(t, text, nil)
	r.until(func() bool { return r.history(path).UptimeRatio != nil }) // a millisecond is known
	first := r.history(path)
	if first.Since.IsZero() || first.Up() == nil || *first.UptimeRatio != 1 || *first.UsableRatio != 1 || first.Outages.Count != 0 || first.Probed.OK != 1 {
		t.Errorf("while it is up: %+v", first)
	}
	broken.Store(true)
	refresh(r)
	down := r.history(path)
	if o := down.Outages; o.Count != 1 || !o.Last[0].Ended.IsZero() || o.Last[0].Reason != provider.ServerError {
		t.Errorf("while it is down: %+v", o)
	}
	broken.Store(false)
	refresh(r)
	r.call("POST", "/api/providers/a/pause", nil)
	paused := r.history(path)
	if o := paused.Outages; o.Count != 1 || o.Last[0].Ended.IsZero() || o.Last[0].Seconds <= 0 || math.Abs(o.Seconds-paused.KnownSeconds+paused.UsableSeconds) > 0.1 {
		t.Errorf("after the outage: %+v of %+v", o, paused.Spent)
	}
	if n := len(paused.Changes); n != 4 || paused.Changes[n-1].State != provider.StateUnknown || paused.Changes[n-1].Reason != provider.Paused {
		t.Errorf("changes: %+v", paused.Changes)
	}
	<-time.After(300 * time.Millisecond)
	if later := r.history(path); later.KnownSeconds > paused.KnownSeconds+0.01 {
		t.Errorf("%v s are known, and %v s when it was paused", later.KnownSeconds, paused.KnownSeconds)
	}

	r.stop()
	r = runDaemonIn(t, r.dir, text, nil)
	again := r.history(path)
	if math.Abs(again.KnownSeconds-paused.KnownSeconds) > 0.1 || again.Probed.Probes != paused.Probed.Probes || !again.Since.Equal(first.Since.Time) || again.Outages.Count != 1 {
		t.Errorf("after a restart: %+v, and before it %+v", again, paused)
	}
	if one, ok := r.entry("a"); !ok || math.Abs(one.KnownSeconds-again.KnownSeconds) > 0.1 || one.Probes != again.Probed.Probes || one.Outages.Count != 1 {
		t.Errorf("in the list: %+v, by itself %+v", one, again)
	}
	r.call("POST", "/api/providers/a/resume", nil)
	refresh(r)

	r.rewrite(httpProvider("b", server.URL))
	if status, body := r.call("POST", "/api/daemon/reload", nil); status != http.StatusOK {
		t.Fatal(body)
	}
	if _, ok := r.entry("a"); ok {
		t.Error("it is in the list though it was removed")
	}
	r.rewrite(text)
	r.call("POST", "/api/daemon/reload", nil)
	r.until(func() bool { return r.history(path).Probed.Probes > again.Probed.Probes+1 })
	if back := r.history(path); back.KnownSeconds < again.KnownSeconds || !back.Since.Equal(first.Since.Time) || back.Outages.Count != 1 || back.Buckets[len(back.Buckets)-1].P50MS <= 0 {
		t.Errorf("when it is back: %+v", back)
	}
}

// What is no history is refused, with what to type.
func TestHistory_Refused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	r := runDaemon(t, httpProvider("a", server.URL), nil)
	for path, want := range map[string]int{
		"/api/providers/a/history?window=0d":                         400,
		"/api/providers/a/history?window=yesterday":                  400,
		"/api/providers/a/history?window=1d&since=1":                 400,
		"/api/providers/a/history?step=1w":                           400,
		"/api/providers/a/history?since=9000000000000&step=1h":       410,
		"/api/providers/a/history?since=9000000000000000000&step=1h": 410,
		"/api/providers/b/history?window=1d":                         404,
		"/api/history?provider_id=b":                                 404,
		"/api/history?since=1":                                       400,
		"/api/history?from=yesterday":                                400,
		"/api/history?window=10000d":                                 200,
	} {
		var e provider.ErrorReply
		status, body := r.call("GET", path, &e)
		if status != want || want != 200 && (e.Error == nil || e.Error.Hint == "") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}
