package cmd_test

import (
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A subscriber hears of a reload that causes no event, although it unsubscribed from
// something else.
func TestMCP_SubscriberHearsOfAReload(t *testing.T) {
	const one = "[[provider]]\nid = \"a\"\nkind = \"ollama\"\nbase_url = \"http://127.0.0.1:1\"\n"
	p := newProcess(t, patiently+one).start()
	p.until(func() bool { return p.unchecked() == 0 })
	agent := pipeMCP(t, p)
	agent.write(mcpHello)
	agent.read()
	agent.write(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	agent.write(`{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"providerd://status"}}`)
	agent.read()
	agent.write(`{"jsonrpc":"2.0","id":2,"method":"resources/unsubscribe","params":{"uri":"providerd://nope"}}`)
	agent.read()
	p.until(func() bool { // it follows
		var d provider.DaemonInfo
		p.do("GET", "/api/daemon", &d)
		return d.Counters.Streams > 0
	})
	p.write(patiently + one + "timeout = \"9s\"\n")
	p.ctl("reload")
	told := make(chan string, 1)
	go func() {
		line, _ := agent.out.ReadString('\n') // no line is no word, either
		told <- line
	}()
	select {
	case line := <-told:
		if !strings.Contains(line, "notifications/resources/updated") {
			t.Error(line)
		}
	case <-time.After(time.Minute):
		t.Error("not a word of the reload")
	}
}
