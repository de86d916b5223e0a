package cmd_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// asOurs names our tools and our resource where the suite names those of its own server.
var asOurs = strings.NewReplacer(
	`"test://static-text"`, `"providerd://status"`,
	`"test://watched-resource"`, `"providerd://status"`,
	`"name":"test_error_handling","arguments":{}`, `"name":"diagnose_provider","arguments":{"id":"nobody"}`,
	`"name":"test_tool_with_progress","arguments":{}`, `"name":"wait_for_provider","arguments":{"ids":["limited"],"timeout_seconds":4}`,
)

// notOurs are the scenarios of the protocol's conformance suite that are not about this
// program: those that ask for tools, resources and prompts of the suite's own server or for
// features that the program does not claim to have, and those about HTTP.
const notOurs = `server:
  - completion-complete
  - dns-rebinding-protection
  - elicitation-sep1034-defaults
  - elicitation-sep1330-enums
  - json-schema-2020-12
  - prompts-get-embedded-resource
  - prompts-get-simple
  - prompts-get-with-args
  - prompts-get-with-image
  - resources-read-binary
  - resources-templates-read
  - tools-call-audio
  - tools-call-elicitation
  - tools-call-embedded-resource
  - tools-call-image
  - tools-call-mixed-content
  - tools-call-sampling
  - tools-call-simple-text
  - tools-call-with-logging
`

// The protocol's own conformance suite finds what it looks for, over a bridge from HTTP, which
// is all that the suite speaks. CONFORMANCE is the folder of npm with the suite's program, and
// with that of a Node.js of version 22.
func TestMCP_Conformance(t *testing.T) {
	folder := os.Getenv("CONFORMANCE")
	if folder == "" {
		t.Skip("no folder with the suite in CONFORMANCE")
	}
	daemon := mcpProviders(t, answerAsOllama).start()
	daemon.until(func() bool { return daemon.unchecked() == 0 })
	bridge := &mcpBridge{t: t, daemon: daemon, sessions: map[string]*bridged{}}
	server := httptest.NewServer(bridge)
	t.Cleanup(server.Close)
	baseline := filepath.Join(t.TempDir(), "baseline.yml")
	if err := os.WriteFile(baseline, []byte(notOurs), 0o600); err != nil {
		t.Fatal(err)
	}
	suite := exec.Command(filepath.Join(folder, "node"), filepath.Join(folder, "conformance"), "server", "--url", server.URL, "--suite", "all", "--expected-failures", baseline)
	suite.Dir = t.TempDir()
	out, err := suite.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// An mcpBridge is a server of MCP over HTTP. Each session is a process, to and from which lines
// pass as they are.
type mcpBridge struct {
	t      *testing.T
	daemon *process

	mu       sync.Mutex
	sessions map[string]*bridged
}

// A bridged session is a running providerctl mcp.
type bridged struct {
	in     io.Writer
	mu     sync.Mutex
	asked  map[string]chan string // by the id of a request
	events chan string            // what is no answer
}

func (b *mcpBridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const session = "Mcp-Session-Id"
	b.mu.Lock()
	s := b.sessions[r.Header.Get(session)]
	b.mu.Unlock()
	if r.Method == http.MethodGet && s != nil {
		s.stream(w, r)
		return
	}
	var message struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}
	body, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(body, &message); err != nil || r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	if message.Method == "initialize" {
		s = b.open()
		b.mu.Lock()
		id := fmt.Sprint("session-", len(b.sessions))
		b.sessions[id] = s
		b.mu.Unlock()
		w.Header().Set(session, id)
	}
	switch {
	case s == nil:
		w.WriteHeader(http.StatusNotFound)
	case message.ID == nil || message.Method == "":
		s.send(body)
		w.WriteHeader(http.StatusAccepted)
	default:
		answer := make(chan string, 1)
		s.mu.Lock()
		s.asked[string(message.ID)] = answer
		s.mu.Unlock()
		s.send(body)
		select {
		case line := <-answer:
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, line)
		case <-r.Context().Done():
		}
	}
}

// open starts a session.
func (b *mcpBridge) open() *bridged {
	p := pipeMCP(b.t, b.daemon)
	s := &bridged{in: p.in, asked: map[string]chan string{}, events: make(chan string, 100)}
	go s.sort(p.out)
	return s
}

// sort hands answers to those who asked, and keeps everything else for a stream.
func (s *bridged) sort(out *bufio.Reader) {
	for {
		line, err := out.ReadString('\n')
		if err != nil {
			return
		}
		var message struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
		}
		_ = json.Unmarshal([]byte(line), &message)
		s.mu.Lock()
		answer := s.asked[string(message.ID)]
		s.mu.Unlock()
		if message.Method == "" && answer != nil {
			answer <- line
		} else {
			s.events <- line
		}
	}
}

// send passes a message on, as one line.
func (s *bridged) send(body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = io.WriteString(s.in, asOurs.Replace(strings.ReplaceAll(string(body), "\n", " "))+"\n")
}

// stream sends what is no answer, until the client goes.
func (s *bridged) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.(http.Flusher).Flush()
	for {
		select {
		case line := <-s.events:
			fmt.Fprintf(w, "event: message\ndata: %s\n", line)
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}
