package cmd_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// After kill -9 the changes of state that a client has seen are still in the history, and the
// time until the daemon runs again is known as neither up nor down.
func TestHistory_SurvivesAKill(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer server.Close()
	p := newProcess(t, patiently+fmt.Sprintf("interval = \"1h\"\nfall = 1\n[[provider]]\nid = \"a\"\nkind = \"http\"\nbase_url = %q\n", server.URL))
	read := func(path string) (h provider.HistoryReply) {
		p.t.Helper()
		if status := p.do("GET", path, &h); status != http.StatusOK {
			t.Fatalf("%s: %d", path, status)
		}
		return h
	}
	const path = "/api/providers/a/history?window=1d"
	state := func() string {
		h := read(path)
		if len(h.Changes) == 0 {
			return ""
		}
		return string(h.Changes[len(h.Changes)-1].State)
	}
	p.start()
	p.until(func() bool { return state() == "RUNNING" })
	broken.Store(true)
	p.do("POST", "/api/providers/refresh?wait=1m", nil)
	before := read(path)
	if before.Outages == nil || before.Outages.Count != 1 {
		t.Fatalf("before the kill: %+v", before)
	}
	began := before.Outages.Last[0].Began
	p.kill()
	killed := time.Now()
	p.http.CloseIdleConnections()
	<-time.After(500 * time.Millisecond) // in which nobody watches

	p.start()
	up := time.Now()
	broken.Store(false)
	p.do("POST", "/api/providers/refresh?wait=1m", nil)
	p.until(func() bool { return state() == "RUNNING" })
	after := read(path)
	if len(after.Changes) <= len(before.Changes) {
		t.Fatalf("changes before: %+v\nafter: %+v", before.Changes, after.Changes)
	}
	for i, c := range before.Changes {
		if got := after.Changes[i]; !got.Time.Equal(c.Time.Time) || got.State != c.State || got.Reason != c.Reason {
			t.Errorf("change %d was %+v, and is %+v", i, c, got)
		}
	}
	dark := false // in the time that nobody watched
	for i, c := range after.Changes {
		if c.State == provider.StateUnknown && c.Reason == "" && !c.Time.After(killed) && i+1 < len(after.Changes) && after.Changes[i+1].Time.After(killed) {
			dark = true
		}
	}
	if !dark || after.KnownSeconds > after.Window.Until.Sub(after.Since.Time).Seconds()-up.Sub(killed).Seconds()+0.5 {
		t.Errorf("%v s are known since %s; changes: %+v", after.KnownSeconds, after.Since, after.Changes)
	}
	o := after.Outages
	if o.Count != 1 || !o.Last[0].Began.Equal(began.Time) || o.Last[0].Ended.IsZero() || o.Last[0].Seconds > o.Last[0].Ended.Sub(began.Time).Seconds() {
		t.Errorf("the outage began at %s, and is %+v", began, o)
	}

	out, err := exec.Command(program("providerctl"), "--socket", p.socket, "history").CombinedOutput()
	if err != nil || !regexp.MustCompile(`(?m)^a +\S+ +[0-9.]+% +[0-9.]+% .* 1 `).Match(out) || strings.Contains(string(out), "\x1b") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = exec.Command(program("providerctl"), "--socket", p.socket, "history", "a", "--since", "1h").CombinedOutput()
	for _, want := range []string{"server_error", "a: up ", "a bar an hour (UTC)", "  latency  p50 ", "  outages  1, "} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%v, no %q in\n%s", err, want, out)
		}
	}
}
