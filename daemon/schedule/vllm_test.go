package schedule

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// vllmServer is a vLLM that always has a request in progress. It makes a token each second unless it
// is stuck; it can hide its metrics.
type vllmServer struct {
	stuck, mute atomic.Bool
	tokens      int
}

func (v *vllmServer) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	go v.serve(theirs)
	return ours, nil
}

func (v *vllmServer) serve(c net.Conn) {
	defer c.Close()
	for in := bufio.NewReader(c); ; {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if req.URL.Path == "/metrics" && v.mute.Load() {
			_, _ = in.ReadByte() // until the client is gone
			return
		}
		body := ""
		switch req.URL.Path {
		case "/v1/models":
			body = `{"object":"list","data":[{"id":"m","owned_by":"vllm"}]}`
		case "/metrics":
			if !v.stuck.Load() {
				v.tokens++
			}
			body = fmt.Sprintf("vllm:num_requests_running 1.0\nvllm:generation_tokens_total %d\n", v.tokens)
		}
		if _, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body); err != nil {
			return
		}
	}
}

// An engine that hangs behind a good /health is found within a few probes. Its recovery is seen as soon
// as somebody asks, or a minute later.
func TestSchedule_VLLMHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t, Options{})
		var server vllmServer
		w.o.NewProber = func(p *config.Provider) (Prober, error) {
			return probe.New(p, probe.Options{Dial: server.dial, Resolve: func(context.Context, string) ([]netip.Addr, error) { return nil, nil }})
		}
		p := settings("a")
		p.Kind, p.BaseURL, p.Endpoint = "vllm", "http://127.0.0.1:8000", "http://127.0.0.1:8000"
		w.apply(p)
		w.run()
		// lasts checks that the row keeps a state for a while.
		lasts := func(what string, state provider.State, reason provider.Reason, d time.Duration) {
			t.Helper()
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Second) {
				if st := w.row("a"); st.State != state || st.Reason != reason {
					t.Fatalf("%s: %s %s %q, want %s %s", what, st.State, st.Reason, st.Detail, state, reason)
				}
			}
		}
		// becomes waits for a state, and returns how long that took.
		becomes := func(what string, state provider.State, most time.Duration) {
			t.Helper()
			for began := time.Now(); w.row("a").State != state; time.Sleep(100 * time.Millisecond) {
				if time.Since(began) > most {
					t.Fatalf("%s: not %s after %s: %+v", what, state, most, w.row("a"))
				}
			}
		}
		time.Sleep(100 * time.Millisecond)
		lasts("it works", provider.StateRunning, provider.OK, 5*time.Minute)

		server.stuck.Store(true)
		becomes("it hangs", provider.StateDegraded, 40*time.Second)
		lasts("it hangs on", provider.StateDegraded, provider.Hung, 5*time.Minute)
		if st := w.row("a"); !strings.Contains(st.Detail, "no token from") {
			t.Errorf("detail %q", st.Detail)
		}

		server.mute.Store(true)
		lasts("its metrics are silent", provider.StateDegraded, provider.Hung, time.Minute)
		server.mute.Store(false)

		server.stuck.Store(false)
		w.Ensure(nil, time.Second)
		becomes("it moves again", provider.StateRunning, 5*time.Second)
		lasts("it works again", provider.StateRunning, provider.OK, 5*time.Minute)
	})
}
