//go:build unix

package cmd_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// BenchmarkThousandProviders runs a daemon over 1,000 loopback servers, which it probes
// every 10 s. It reports when the daemon answered, when its first sweep was done, the cost
// of a provider in a round, and its memory, in total and for each provider with its kept
// connection.
func BenchmarkThousandProviders(b *testing.B) {
	const providers, rounds = 1000, 3
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		b.Skip("needs /proc")
	}
	config := "[defaults]\ninterval = \"10s\"\n"
	for i := range providers {
		config += fmt.Sprintf("[[provider]]\nid = \"p%d\"\nkind = \"ollama\"\nbase_url = \"http://%s\"\n", i, serveOllama(b))
	}
	alone := restingAlone(b)
	for b.Loop() {
		p := newProcess(b, config)
		p.write(config)
		began := time.Now()
		cmd := p.start()
		b.ReportMetric(time.Since(began).Seconds(), "s-to-answer")
		p.until(func() bool { return p.unchecked() == 0 })
		b.ReportMetric(time.Since(began).Seconds(), "s-to-sweep")
		<-time.After(10 * time.Second) // the second round is spread
		cpu, from := cmd.cpu(), time.Now()
		var before, after provider.DaemonInfo
		p.do("GET", "/api/daemon", &before)
		<-time.After(rounds * 10 * time.Second)
		used := cmd.cpu() - cpu
		p.do("GET", "/api/daemon", &after)
		probes := float64(after.Counters.Probes - before.Counters.Probes)
		b.ReportMetric(float64(used.Microseconds())/probes, "µs-cpu/probe")
		b.ReportMetric(probes/providers/time.Since(from).Seconds()*10, "probes/provider/10s")
		b.ReportMetric(float64(cmd.resident())/(1<<20), "MiB-resident")
		b.ReportMetric(float64(cmd.resident()-alone)/providers/(1<<10), "KiB/provider")
		b.ReportMetric(float64(after.Counters.Commits-before.Counters.Commits)/time.Since(from).Seconds(), "commits/s")
		p.kill()
	}
}

// restingAlone is the memory of a daemon with a single provider, in bytes.
func restingAlone(b *testing.B) int64 {
	p := newProcess(b, "[[provider]]\nid = \"p\"\nkind = \"ollama\"\nbase_url = \"http://"+serveOllama(b)+"\"\n").start()
	p.until(func() bool { return p.unchecked() == 0 })
	defer p.kill()
	return p.resident()
}

// serveOllama answers like an idle Ollama on its own port.
func serveOllama(b testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(answerAsOllama)}
	go func() { _ = s.Serve(l) }()
	b.Cleanup(func() { s.Close() })
	return l.Addr().String()
}

// unchecked counts the rows without a result.
func (p *process) unchecked() (n int) {
	var reply provider.StatusReply
	p.do("GET", "/api/providers/status", &reply)
	for _, st := range reply.Providers {
		if st.Reason == provider.NotChecked {
			n++
		}
	}
	return n
}

// cpu is the processor time of the process, to a hundredth of a second.
func (p *process) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// resident is the process's memory in bytes.
func (p *process) resident() int64 {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
