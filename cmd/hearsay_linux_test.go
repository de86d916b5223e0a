package cmd_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// Two users who are not administrators report the worst about a provider to the system's
// daemon. Their reports are shown with their uids until a probe has an answer, and then no
// longer: nobody is kept from the provider.
func TestDoors_NobodyMakesAProviderLookDown(t *testing.T) {
	needRoot(t)
	var holds atomic.Bool
	held := make(chan struct{}, 100)
	let := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if holds.Load() {
			held <- struct{}{}
			<-let
		}
	}))
	defer server.Close()
	p := newProcessOf(t, alone(daemonUID), patiently+"[[provider]]\nid = \"a\"\nkind = \"http\"\nbase_url = \""+server.URL+"\"\n")
	p.system = true
	p.start()
	row := func() (st provider.Status) {
		p.do("GET", "/api/providers/a", &st)
		return st
	}
	claim := func(uid uint32, body string) answer {
		return ask[[]answer](t, alone(uid), "ask", asking{p.socket, []request{{"POST", "/api/providers/a/report", body}}})[0]
	}
	await := func(what string, is func(provider.Status) bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !is(row()); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %+v", what, row())
			}
		}
	}
	await("it is not well", func(st provider.Status) bool { return st.State == provider.StateRunning })

	holds.Store(true)
	if got := claim(otherUID, `{"status":429,"retry_after":"86400"}`); got.Status != 200 || !strings.Contains(got.Body, fmt.Sprintf("reported by uid %d: 429", otherUID)) {
		t.Errorf("%+v", got)
	}
	<-held // the probe is in progress
	if st := row(); st.State != provider.StateDegraded || st.Hearsay == nil || st.Hearsay.By != fmt.Sprintf("uid %d", otherUID) || !st.RetryAt.IsZero() {
		t.Errorf("%s %s, %+v", st.State, st.Reason, st.Hearsay)
	}
	if got := claim(otherUID+1, `{"status":401}`); got.Status != 200 || row().State != provider.StateDegraded {
		t.Errorf("%+v", got)
	}
	holds.Store(false)
	close(let)
	await("a probe did not end it", func(st provider.Status) bool { return st.State == provider.StateRunning })
	for i, body := range []string{`{"status":429,"retry_after":"86400"}`, `{"error":"refused"}`, `{"status":402}`} {
		if got := claim(otherUID+10+uint32(i), body); got.Status != 200 {
			t.Errorf("%+v", got)
		}
		if st := row(); st.State != provider.StateRunning || !st.RetryAt.IsZero() {
			t.Errorf("after %s: %s %s", body, st.State, st.Reason)
		}
	}
	p.kill()
	p.start()
	await("a restart did not end it", func(st provider.Status) bool { return st.State == provider.StateRunning && !st.Stale })
}
