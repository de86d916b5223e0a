package cmd_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A pipe is the program with its bare lines.
type pipe struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func pipeMCP(t *testing.T, p *process) *pipe {
	t.Helper()
	cmd := mcpCommand(p)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return &pipe{t, cmd, in, bufio.NewReader(out)}
}

func (p *pipe) write(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		p.t.Fatal(err)
	}
}

// read reads a line, which must be a message of JSON-RPC.
func (p *pipe) read() string {
	p.t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatalf("%v after %q", err, line)
	}
	var message struct {
		Version string `json:"jsonrpc"`
	}
	if err := json.Unmarshal([]byte(line), &message); err != nil || message.Version != "2.0" {
		p.t.Errorf("not a message: %q", line)
	}
	return line
}

const mcpHello = `{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`

// What is no message is answered with an error, and the next message as if nothing had been.
func TestMCP_MalformedMessages(t *testing.T) {
	p := pipeMCP(t, newProcess(t, ""))
	p.write(mcpHello)
	p.read()
	p.write(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	huge := strings.Repeat("x", 3<<20)
	for i, tc := range []struct{ line, answer string }{
		{`{`, `"code":-32700`},
		{`garbage`, `"code":-32700`},
		{"\x00\xff", `"code":-32700`},
		{`42`, `"code":-32600`},
		{`null`, `"code":-32600`},
		{`[]`, `"code":-32600`},
		{`[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, `"code":-32600`},
		{`{}`, `"code":-32600`},
		{`{"id":7}`, `"id":7`},
		{`{"jsonrpc":"1.0","id":"a","method":"ping"}`, `"id":"a"`},
		{`{"jsonrpc":"2.0","id":{},"method":"ping"}`, `"id":null`},
		{huge, `longer than 1 MiB`},
		{`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"` + huge + `"}}`, `longer than 1 MiB`},
		{`{"jsonrpc":"2.0","id":1,"method":"no/such"}`, `"code":-32601`},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"no_such"}}`, `"code":-32602`},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}`, `"error"`},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"provider_status","arguments":{"ids":7}}}`, `"isError":true`},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"provider_status","arguments":{"id":"good"}}}`, `"isError":true`},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"provider_status","arguments":[]}}`, `"isError":true`},
		{`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"providerd://nope"}}`, `"error"`},
		{`{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"providerd://nope"}}`, `"error"`},
		{`{"jsonrpc":"2.0","id":99,"result":{}}`, ""}, // an answer to nothing
		{`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":12345}}`, ""},
		{`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{}}}`, ""},
		{`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}`, ""},
		{"", ""},
		{"\r", ""},
	} {
		p.write(tc.line)
		if tc.answer != "" {
			if got := p.read(); !strings.Contains(got, tc.answer) {
				t.Errorf("%.60s: %s", tc.line, got)
			}
		}
		p.write(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"ping"}`, 1000+i))
		if got := p.read(); !strings.Contains(got, fmt.Sprintf(`"id":%d`, 1000+i)) {
			t.Errorf("after %.60s: %s", tc.line, got)
		}
	}
}

// A client of another version of the protocol is answered in that version or, if the program
// does not know it, in one that it knows. The client decides.
func TestMCP_ProtocolVersions(t *testing.T) {
	daemon := newProcess(t, "")
	known := map[string]bool{"2024-11-05": true, "2025-03-26": true, "2025-06-18": true, "2025-11-25": true}
	for _, version := range []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "1999-01-01", "2999-12-31", "", "x"} {
		p := pipeMCP(t, daemon)
		p.write(strings.Replace(mcpHello, "2025-06-18", version, 1))
		var hello struct {
			Result struct {
				ProtocolVersion string `json:"protocolVersion"`
			} `json:"result"`
		}
		line := p.read()
		if err := json.Unmarshal([]byte(line), &hello); err != nil {
			t.Fatal(err)
		}
		got := hello.Result.ProtocolVersion
		if known[version] && got != version || !known[got] {
			t.Errorf("%q is answered in %q: %s", version, got, line)
		}
		p.write(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
		p.write(`{"jsonrpc":"2.0","id":"next","method":"tools/list"}`)
		if line := p.read(); !strings.Contains(line, `"provider_status"`) {
			t.Errorf("%q: %s", version, line)
		}
		p.in.Close()
	}
}

// Over one pipe: a request that is cancelled is not waited for, requests are answered as they
// become ready, and two subscriptions are one.
func TestMCP_InterleavedRequests(t *testing.T) {
	daemon := mcpProviders(t, answerAsOllama).start()
	daemon.until(func() bool { return daemon.unchecked() == 0 })
	p := pipeMCP(t, daemon)
	p.write(mcpHello)
	p.read()
	p.write(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	const wait = `{"jsonrpc":"2.0","id":%q,"method":"tools/call","params":{"name":"wait_for_provider","arguments":{"ids":["limited"],"timeout_seconds":%d}}}`
	p.write(fmt.Sprintf(wait, "cancelled", 60))
	p.write(fmt.Sprintf(wait, "slow", 1))
	p.write(`{"jsonrpc":"2.0","id":"quick","method":"ping"}`)
	if line := p.read(); !strings.Contains(line, `"id":"quick"`) {
		t.Errorf("first came %s", line)
	}
	p.write(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"cancelled","reason":"tired"}}`)
	for line := ""; !strings.Contains(line, `"id":"slow"`); {
		if line = p.read(); strings.Contains(line, `"id":"cancelled"`) {
			t.Errorf("a cancelled request is answered: %s", line)
		}
	}

	for _, id := range []string{"one", "two"} {
		p.write(fmt.Sprintf(`{"jsonrpc":"2.0","id":%q,"method":"resources/subscribe","params":{"uri":"providerd://status"}}`, id))
		if line := p.read(); !strings.Contains(line, `"result":{}`) {
			t.Errorf("subscribe: %s", line)
		}
	}
	daemon.do("POST", "/api/providers/good/pause", nil)
	if line := p.read(); !strings.Contains(line, `"method":"notifications/resources/updated"`) || !strings.Contains(line, `"uri":"providerd://status"`) {
		t.Errorf("no update: %s", line)
	}
	p.write(`{"jsonrpc":"2.0","id":"again","method":"ping"}`)
	if line := p.read(); !strings.Contains(line, `"id":"again"`) { // and no second update
		t.Errorf("after the update came %s", line)
	}
}

// The program ends when its input does, whatever it is waiting for, and answers first what
// it can answer at once.
func TestMCP_EndsWithItsInput(t *testing.T) {
	daemon := mcpProviders(t, answerAsOllama).start()
	daemon.until(func() bool { return daemon.unchecked() == 0 })
	for name, line := range map[string]string{
		"Idle":      "",
		"Waiting":   `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait_for_provider","arguments":{"ids":["limited"],"timeout_seconds":60}}}`,
		"Following": `{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"providerd://status"}}`,
		"CutShort":  `{"jsonrpc":"2.0","id":1,`,
	} {
		t.Run(name, func(t *testing.T) {
			p := pipeMCP(t, daemon)
			p.write(mcpHello)
			p.read()
			p.write(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
			if line != "" {
				p.write(line)
			}
			p.write(`{"jsonrpc":"2.0","id":"last","method":"tools/call","params":{"name":"provider_status","arguments":{}}}`)
			began := time.Now()
			p.in.Close()
			rest, err := io.ReadAll(p.out)
			if err != nil || !strings.Contains(string(rest), `"id":"last"`) {
				t.Errorf("%v: %s", err, rest)
			}
			if err := p.cmd.Wait(); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > 20*time.Second { // a wait takes a minute
				t.Errorf("it ended after %v", took)
			} else {
				t.Logf("it ended after %v", took)
			}
		})
	}
}

// A client that calls much and reads nothing can still end the program by closing its input.
func TestMCP_EndsAlthoughNothingIsRead(t *testing.T) {
	p := pipeMCP(t, newProcess(t, ""))
	p.write(mcpHello)
	p.write(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	for i := range 400 { // their answers are more than a pipe holds
		p.write(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/list"}`, i))
	}
	p.in.Close()
	state := make(chan error, 1)
	go func() {
		_, err := p.cmd.Process.Wait()
		state <- err
	}()
	select {
	case err := <-state:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it did not end")
	}
}
