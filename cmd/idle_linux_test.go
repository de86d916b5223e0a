package cmd_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
)

// fakeVLLM is a server of vLLM that works on a number of requests.
func fakeVLLM(t *testing.T, running *atomic.Int64) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/models":
			fmt.Fprint(w, `{"object":"list","data":[{"id":"m","object":"model","owned_by":"vllm"}]}`)
		case "/metrics":
			fmt.Fprintf(w, "vllm:num_requests_running{model_name=\"m\"} %d\nvllm:num_requests_waiting{model_name=\"m\"} 0\nvllm:generation_tokens_total{model_name=\"m\"} 7\n", running.Load())
		case "/health", "/ping":
		case "/version":
			fmt.Fprint(w, `{"version":"0.11.0"}`)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// Everything that can prefer an idle server follows the load that the servers report.
func TestPreferIdle_FollowsTheLoad(t *testing.T) {
	var first, second atomic.Int64
	first.Store(3)
	p := newProcess(t, patiently+fmt.Sprintf(
		"[[provider]]\nid = \"first\"\nkind = \"vllm\"\nbase_url = %q\n[[provider]]\nid = \"second\"\nkind = \"vllm\"\nbase_url = %q\n",
		fakeVLLM(t, &first), fakeVLLM(t, &second))).start()
	p.until(func() bool { return p.unchecked() == 0 })
	agent := connectMCP(t, p, nil)
	ask := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(program("providerctl"), append([]string{"--socket", p.socket}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	check := func(idle, busy string) {
		t.Helper()
		if got := strings.TrimSpace(ask("pick", "--prefer", "idle")); got != idle {
			t.Errorf("pick: %s, want %s", got, idle)
		}
		if got := ask("run", "--prefer", "idle", "--", "sh", "-c", "echo $PROVIDERD_PROVIDER"); !strings.Contains(got, idle) {
			t.Errorf("run: %s, want %s", got, idle)
		}
		if _, words, _ := callMCP(t, agent, "pick_provider", `{"prefer":"idle"}`); !strings.HasPrefix(words, idle+": ") || !strings.Contains(words, "idle") {
			t.Errorf("pick_provider: %s, want %s", words, idle)
		}
		if _, words, _ := callMCP(t, agent, "provider_status", `{"ids":["`+busy+`"]}`); !strings.Contains(words, "3 running") {
			t.Errorf("provider_status: %s", words)
		}
	}
	check("second", "first")
	first.Store(0)
	second.Store(3)
	ask("refresh", "--wait")
	check("first", "second")
}
