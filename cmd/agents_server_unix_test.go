//go:build unix

package cmd_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// An agentServer is a model server with the APIs that agents speak: chat completions,
// responses and messages. It keeps what it was asked.
type agentServer struct {
	*httptest.Server
	probed http.HandlerFunc
	mu     sync.Mutex
	asked  []agentRequest
}

// An agentRequest is a request for a model's answer.
type agentRequest struct {
	path, model string
	header      http.Header
}

// agentAnswer is what the model says.
const agentAnswer = "hello-from-the-fake"

func newAgentServer(t *testing.T, probed http.HandlerFunc) *agentServer {
	s := &agentServer{probed: probed}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// requests returns what was asked since the last call.
func (s *agentServer) requests() []agentRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

func (s *agentServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		s.probed(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	var ask struct {
		Model  string
		Stream bool
	}
	_ = json.Unmarshal(body, &ask)
	s.mu.Lock()
	s.asked = append(s.asked, agentRequest{r.URL.Path, ask.Model, r.Header})
	s.mu.Unlock()
	switch {
	case strings.HasSuffix(r.URL.Path, "/count_tokens"):
		answerJSON(w, `{"input_tokens":1}`)
	case strings.HasSuffix(r.URL.Path, "/chat/completions") && ask.Stream:
		chunk := `data: {"id":"x","object":"chat.completion.chunk","created":1,"model":%q,"choices":[{"index":0,"delta":%s,"finish_reason":%s}]}` + "\n\n"
		stream(w, fmt.Sprintf(chunk, ask.Model, `{"role":"assistant","content":"`+agentAnswer+`"}`, "null")+
			fmt.Sprintf(chunk, ask.Model, "{}", `"stop"`)+"data: [DONE]\n\n")
	case strings.HasSuffix(r.URL.Path, "/chat/completions"):
		answerJSON(w, fmt.Sprintf(`{"id":"x","object":"chat.completion","created":1,"model":%q,"choices":[{"index":0,"message":{"role":"assistant",`+
			`"content":%q},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`, ask.Model, agentAnswer))
	case strings.HasSuffix(r.URL.Path, "/responses"):
		stream(w, events(
			`{"type":"response.created","response":{"id":"r"}}`,
			`{"type":"response.output_item.done","item":{"type":"message","role":"assistant","id":"m","content":[{"type":"output_text","text":"`+agentAnswer+`"}]}}`,
			`{"type":"response.completed","response":{"id":"r","usage":{"input_tokens":1,"input_tokens_details":null,"output_tokens":1,"output_tokens_details":null,"total_tokens":2}}}`))
	case strings.HasSuffix(r.URL.Path, "/messages") && ask.Stream:
		stream(w, events(
			fmt.Sprintf(`{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":%q,"content":[],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}}`, ask.Model),
			`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`,
			`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"`+agentAnswer+`"}}`,
			`{"type":"content_block_stop","index":0}`,
			`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}`,
			`{"type":"message_stop"}`))
	case strings.HasSuffix(r.URL.Path, "/messages"):
		answerJSON(w, fmt.Sprintf(`{"id":"m","type":"message","role":"assistant","model":%q,"content":[{"type":"text","text":%q}],`+
			`"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`, ask.Model, agentAnswer))
	default:
		http.NotFound(w, r)
	}
}

func answerAsVLLM(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/health":
	case "/version":
		answerJSON(w, `{"version":"0.11.0"}`)
	case "/v1/models":
		answerJSON(w, `{"object":"list","data":[{"id":"qwen3:8b","object":"model","owned_by":"vllm","max_model_len":32768}]}`)
	default:
		http.NotFound(w, r)
	}
}

func answerJSON(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, body)
}

func stream(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, text)
}

// events writes server-sent events, each named after its type.
func events(all ...string) string {
	var b strings.Builder
	for _, data := range all {
		var e struct{ Type string }
		_ = json.Unmarshal([]byte(data), &e)
		fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", e.Type, data)
	}
	return b.String()
}
