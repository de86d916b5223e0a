package cmd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const secret = "not-a-key-but-secret-0123456789"

// mcpCommand is providerctl mcp for a daemon.
func mcpCommand(p *process) *exec.Cmd {
	return exec.Command(program("providerctl"), "--socket", p.socket, "mcp")
}

// connectMCP starts the program as an agent does.
func connectMCP(t testing.TB, p *process, opts *mcp.ClientOptions) *mcp.ClientSession {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, opts)
	session, err := client.Connect(t.Context(), &mcp.CommandTransport{Command: mcpCommand(p)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

// callMCP calls a tool, and checks what holds of any answer: it is small, it says in words
// what it says in values, and it has no key.
func callMCP(t *testing.T, s *mcp.ClientSession, name, arguments string) (values map[string]any, words string, failed bool) {
	t.Helper()
	res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: json.RawMessage(arguments)})
	if err != nil {
		t.Fatalf("%s %s: %v", name, arguments, err)
	}
	whole, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	if len(whole) >= 1024 {
		t.Errorf("%s %s: an answer of %d bytes: %s", name, arguments, len(whole), whole)
	}
	if strings.Contains(string(whole), secret) {
		t.Errorf("%s %s: a key in %s", name, arguments, whole)
	}
	if len(res.Content) != 1 {
		t.Fatalf("%s %s: %s", name, arguments, whole)
	}
	words = res.Content[0].(*mcp.TextContent).Text
	values, _ = res.StructuredContent.(map[string]any)
	if words == "" || (values == nil) != res.IsError {
		t.Errorf("%s %s: %s", name, arguments, whole)
	}
	return values, words, res.IsError
}

// mcpProviders is a daemon with a provider that can be used, one that is dead, and one that
// limits requests.
func mcpProviders(t testing.TB, up http.HandlerFunc) *process {
	t.Helper()
	good := httptest.NewServer(up)
	t.Cleanup(good.Close)
	limited := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(limited.Close)
	t.Setenv("MCP_TEST_KEY", secret)
	return newProcess(t, patiently+
		"[[provider]]\nid = \"good\"\nkind = \"ollama\"\nbase_url = \""+good.URL+"\"\ninterval = \"1s\"\n"+
		"[[provider]]\nid = \"dead\"\nkind = \"ollama\"\nbase_url = \"http://127.0.0.1:1\"\n"+
		"[[provider]]\nid = \"limited\"\nkind = \"openai\"\nbase_url = \""+limited.URL+"\"\napi_key_env = \"MCP_TEST_KEY\"\n")
}

// An agent learns from each tool what it needs, with what to do next.
func TestMCP_Tools(t *testing.T) {
	p := mcpProviders(t, answerAsOllama).start()
	p.until(func() bool { return p.unchecked() == 0 })
	s := connectMCP(t, p, nil)
	for _, tc := range []struct {
		tool, arguments string
		failed          bool
		values          string // a part of the values, as JSON
		words           string
	}{
		{"provider_status", `{}`, false, `"total":3,"usable":1`, "1 of 3 can be used"},
		{"provider_status", `{"ids":["limited"]}`, false, `"reason":"rate_limited","retry_in_seconds":`, "limited: DEGRADED (rate_limited); not usable"},
		{"provider_status", `{"ids":["dead","good"]}`, false, `"id":"dead"`, "start it"},
		{"provider_status", `{"ids":["god"]}`, true, "", "hint: did you mean: good"},
		{"provider_status", `{"ids":[""]}`, true, "", "an id is empty"},
		{"pick_provider", `{}`, false, `"found":true`, "good: RUNNING"},
		{"pick_provider", `{"model":"qwen3:8b","prefer":"fastest"}`, false, `"id":"good"`, "lists qwen3:8b"},
		{"pick_provider", `{"ids":["limited"]}`, false, `"found":false`, "do something else until then"},
		{"pick_provider", `{"model":"nope"}`, false, `"found":false`, "it does not list nope"},
		{"pick_provider", `{"prefer":"cheapest"}`, true, "", "prefer"},
		{"wait_for_provider", `{"ids":["good"]}`, false, `"found":true`, "good: RUNNING"},
		{"wait_for_provider", `{"ids":["dead"],"timeout_seconds":0.3}`, false, `"found":false`, "dead"},
		{"wait_for_provider", `{"timeout_seconds":61}`, true, "", "61"},
		{"wait_for_provider", `{"timeout_seconds":-1}`, true, "", "-1"},
		{"list_models", `{}`, false, `"models":[{"model":"qwen3:8b","provider":"good"}]`, "good: qwen3:8b"},
		{"list_models", `{"id":"good","contains":"QWEN"}`, false, `"total":1`, "qwen3:8b"},
		{"list_models", `{"id":"dead"}`, false, `"models":[]`, "call provider_status"},
		{"list_models", `{"id":"gud"}`, true, "", "hint:"},
		{"diagnose_provider", `{"id":"dead"}`, false, `"fresh":true`, "connect: 127.0.0.1:1: "},
		{"diagnose_provider", `{"id":"limited"}`, false, `"fresh":false`, "from its last probe"},
		{"diagnose_provider", `{}`, true, "", "id"},
		{"diagnose_provider", `{"id":""}`, true, "", "call provider_status for the ids"},
		{"list_models", `{"id":"../daemon"}`, true, "", "call provider_status for the ids"},
		{"report_failure", `{"id":"x/../good","status":500}`, true, "", "call provider_status for the ids"},
		{"provider_status", `{"ids":null}`, false, `"total":3`, "1 of 3 can be used"},
		{"pick_provider", `{"ids":null,"model":null,"prefer":null}`, false, `"id":"good"`, "good: RUNNING"},
		{"wait_for_provider", `{"timeout_seconds":null}`, false, `"id":"good"`, "good: RUNNING"},
		{"diagnose_provider", `{"id":null}`, true, "", "id"},
		{"report_failure", `{"id":"limited","status":429,"error":null}`, false, `"reason":"rate_limited"`, "it is left alone until then"},
		{"report_failure", `{"id":"good"}`, true, "", "give the status of the answer"},
		{"report_failure", `{"id":"good","status":200}`, true, "", "200"},
		{"report_failure", `{"id":"good","status":429}`, false, `"id":"good"`, "call pick_provider for another one"},
		{"report_failure", `{"id":"good","error":"timeout"}`, false, `"id":"good"`, "call pick_provider for another one"},
	} {
		values, words, failed := callMCP(t, s, tc.tool, tc.arguments)
		body, err := json.Marshal(values)
		if err != nil {
			t.Fatal(err)
		}
		if failed != tc.failed || !strings.Contains(string(body), tc.values) && !failed || !strings.Contains(words, tc.words) {
			t.Errorf("%s %s: failed %v\n%s\n%s", tc.tool, tc.arguments, failed, body, words)
		}
	}
}

// Each tool says truthfully whether it changes anything, and what it takes and answers.
func TestMCP_ListsItsTools(t *testing.T) {
	s := connectMCP(t, newProcess(t, ""), nil) // no daemon is needed
	res, err := s.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tool := range res.Tools {
		names = append(names, tool.Name)
		if tool.Annotations.ReadOnlyHint != (tool.Name != "report_failure") || tool.Description == "" || tool.InputSchema == nil || tool.OutputSchema == nil {
			t.Errorf("%+v", tool)
		}
	}
	if got := strings.Join(names, " "); got != "diagnose_provider list_models pick_provider provider_status report_failure wait_for_provider" {
		t.Error(got)
	}
}

// Without a daemon, the tools say what to do; once it is there, they answer.
func TestMCP_WithoutADaemon(t *testing.T) {
	p := mcpProviders(t, answerAsOllama)
	s := connectMCP(t, p, nil)
	for tool, arguments := range map[string]string{
		"provider_status": `{}`, "pick_provider": `{}`, "list_models": `{}`, "wait_for_provider": `{"timeout_seconds":0.2}`,
		"diagnose_provider": `{"id":"good"}`, "report_failure": `{"id":"good","status":429}`,
	} {
		if _, words, failed := callMCP(t, s, tool, arguments); !failed || !strings.Contains(words, "start it") || !strings.Contains(words, "retry in") {
			t.Errorf("%s: failed %v, %s", tool, failed, words)
		}
	}
	p.start()
	p.until(func() bool { return p.unchecked() == 0 })
	if _, words, failed := callMCP(t, s, "pick_provider", `{}`); failed || !strings.Contains(words, "good") {
		t.Error(failed, words)
	}
}

// Answers stay small if there are a thousand providers, and so does the program.
func TestMCP_ManyProviders(t *testing.T) {
	var config strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&config, "[[provider]]\nid = \"a-provider-with-a-long-name-%d\"\nkind = \"ollama\"\nbase_url = \"http://127.0.0.1:1\"\ninterval = \"1h\"\n", i)
	}
	p := newProcess(t, config.String()).start()
	p.until(func() bool { return p.unchecked() == 0 })
	cmd := mcpCommand(p)
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	s, err := client.Connect(t.Context(), &mcp.CommandTransport{Command: cmd}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 20 {
		values, words, failed := callMCP(t, s, "provider_status", `{}`)
		shown, _ := values["providers"].([]any)
		if more, _ := values["more"].(float64); failed || len(shown) == 0 || len(shown)+int(more) != 1000 || !strings.Contains(words, fmt.Sprintf("and %v more", more)) {
			t.Fatal(failed, words)
		}
		if _, words, failed := callMCP(t, s, "pick_provider", `{}`); failed || !strings.Contains(words, "more") {
			t.Fatal(failed, words)
		}
	}
	agent := &process{t: t, cmd: cmd} // only to look at it
	if got := agent.resident(); got > 20<<20 {
		t.Errorf("%d bytes resident", got)
	} else {
		t.Logf("%.1f MiB resident", float64(got)/(1<<20))
	}
}

// A subscriber hears that a provider goes down, that the daemon goes away, and that it is back.
func TestMCP_Subscription(t *testing.T) {
	var down atomic.Bool
	p := mcpProviders(t, func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		answerAsOllama(w, r)
	}).start()
	p.until(func() bool { return p.unchecked() == 0 })
	updated := make(chan string, 100)
	s := connectMCP(t, p, &mcp.ClientOptions{ResourceUpdatedHandler: func(_ context.Context, req *mcp.ResourceUpdatedNotificationRequest) {
		updated <- req.Params.URI
	}})
	const uri = "providerd://status"
	if err := s.Subscribe(t.Context(), &mcp.SubscribeParams{URI: uri}); err != nil {
		t.Fatal(err)
	}
	await := func(part string) {
		t.Helper()
		for deadline := time.After(time.Minute); ; {
			res, err := s.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: uri})
			if err != nil || len(res.Contents) != 1 || !json.Valid([]byte(res.Contents[0].Text)) {
				t.Fatalf("%+v, %v", res, err)
			}
			if strings.Contains(res.Contents[0].Text, part) {
				return
			}
			select {
			case got := <-updated:
				if got != uri {
					t.Fatal(got)
				}
			case <-deadline:
				t.Fatalf("no word of %s in %s", part, res.Contents[0].Text)
			}
		}
	}
	await(`"usable":1`)
	down.Store(true)
	await(`"usable":0`)
	p.kill()
	await(`"error":"the daemon is not running`)
	p.start()
	await(`"total":3`)
	if err := s.Unsubscribe(t.Context(), &mcp.UnsubscribeParams{URI: uri}); err != nil {
		t.Error(err)
	}
}

// A wait reports its progress, and ends if it is cancelled.
func TestMCP_ProgressAndCancellation(t *testing.T) {
	p := mcpProviders(t, answerAsOllama).start()
	p.until(func() bool { return p.unchecked() == 0 })
	progress := make(chan *mcp.ProgressNotificationParams, 100)
	s := connectMCP(t, p, &mcp.ClientOptions{ProgressNotificationHandler: func(_ context.Context, req *mcp.ProgressNotificationClientRequest) {
		progress <- req.Params
	}})
	for range 40 { // more than may be in progress: a cancelled one must not count
		ctx, cancel := context.WithCancel(t.Context())
		params := &mcp.CallToolParams{Name: "wait_for_provider", Arguments: json.RawMessage(`{"ids":["limited"],"timeout_seconds":60}`)}
		params.SetProgressToken("token")
		ended := make(chan error, 1)
		go func() {
			_, err := s.CallTool(ctx, params)
			ended <- err
		}()
		if len(progress) == 0 {
			if got := <-progress; got.ProgressToken != "token" || got.Total != 60 || got.Progress <= 0 {
				t.Errorf("%+v", got)
			}
		}
		cancel()
		if err := <-ended; err == nil {
			t.Fatal("it was not cancelled")
		}
		progress <- nil // one is enough
	}
	p.until(func() bool {
		_, words, failed := callMCP(t, s, "pick_provider", `{}`)
		return !failed && strings.Contains(words, "good")
	})
}
