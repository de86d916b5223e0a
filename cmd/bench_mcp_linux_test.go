package cmd_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/providerd/providerd/ctl/client"
)

// BenchmarkMCPAgainstSocket alternates a call of provider_status with the same question over
// the daemon's socket, and reports what the call takes beyond that: two processes in
// between, JSON-RPC, and the check of what goes in and out.
func BenchmarkMCPAgainstSocket(b *testing.B) {
	p := mcpProviders(b, answerAsOllama).start()
	p.until(func() bool { return p.unchecked() == 0 })
	cmd := mcpCommand(p)
	agent := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	s, err := agent.Connect(b.Context(), &mcp.CommandTransport{Command: cmd}, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	socket := &client.Client{Socket: p.socket}
	var called, asked time.Duration
	for b.Loop() {
		began := time.Now()
		res, err := s.CallTool(b.Context(), &mcp.CallToolParams{Name: "provider_status", Arguments: json.RawMessage(`{"ids":["good"]}`)})
		if err != nil || res.IsError {
			b.Fatal(res, err)
		}
		called += time.Since(began)
		began = time.Now()
		if _, err := socket.Status(b.Context(), client.StatusQuery{IDs: []string{"good"}}); err != nil {
			b.Fatal(err)
		}
		asked += time.Since(began)
	}
	ms := func(d time.Duration) float64 { return d.Seconds() * 1000 / float64(b.N) }
	b.ReportMetric(ms(asked), "ms-socket")
	b.ReportMetric(ms(called-asked), "ms-beyond")
	b.ReportMetric(float64((&process{t: b, cmd: cmd}).resident())/(1<<20), "MiB-resident")
	b.ReportMetric(0, "ns/op")
}
