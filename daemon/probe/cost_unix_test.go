//go:build unix

package probe_test

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// BenchmarkHealthyProbe is what a probe of each healthy local kind costs this process; the
// server is another one. Most rounds send only the deciding request; some ask for facts
// too. The figure that matters is cpu-µs/op, beside that of the floor: one request and its
// answer as bare bytes over a kept connection.
func BenchmarkHealthyProbe(b *testing.B) {
	b.Run("floor", exchangeBytes)
	for _, k := range probe.Kinds() {
		if k.Type != provider.Local {
			continue
		}
		for i, ask := range []probe.Ask{{}, {Facts: true}, {}} {
			name := k.Name + [...]string{"/alone", "/with facts", "/with a key"}[i]
			b.Run(name, func(b *testing.B) {
				p := serveInProcess(b, k)
				if i == 2 && p.Key.IsZero() { // then there is something to look for
					p.Key = config.NewSecret("sk-of-nobody-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ")
				}
				pr := newProber(b, p, probe.Options{})
				for range 2 { // what there is to learn about the server, it knows then
					pr.Probe(b.Context(), probe.Ask{Facts: true})
				}
				measure(b, func() {
					if o := pr.Probe(b.Context(), ask); o.Saw != provider.OK {
						b.Fatalf("saw %s %q", o.Saw, o.Detail)
					}
				})
			})
		}
	}
}

// BenchmarkNewConnection is the cost of closing the connection after each probe: the
// processor time of this process, beside that of probes over a kept connection, in turns.
func BenchmarkNewConnection(b *testing.B) {
	const turn = 50
	kinds := probe.Kinds()
	p := serveInProcess(b, kinds[slices.IndexFunc(kinds, func(k config.Kind) bool { return k.Name == "ollama" })])
	kept, anew := newProber(b, p, probe.Options{}), newProber(b, p, probe.Options{})
	var spent [2]int64
	for b.Loop() {
		for i, pr := range []*probe.Prober{kept, anew} {
			began := processorTime(b)
			for range turn {
				if o := pr.Probe(b.Context(), probe.Ask{Part: i == 1}); o.Saw != provider.OK {
					b.Fatalf("saw %s %q", o.Saw, o.Detail)
				}
			}
			spent[i] += processorTime(b) - began
		}
	}
	each := float64(b.N * turn)
	b.ReportMetric(float64(spent[0])/each, "cpu-µs/kept")
	b.ReportMetric(float64(spent[1])/each, "cpu-µs/anew")
	b.ReportMetric(float64(spent[1])/float64(spent[0]), "ratio")
	b.ReportMetric(0, "ns/op")
}

func exchangeBytes(b *testing.B) {
	kinds := probe.Kinds()
	p := serveInProcess(b, kinds[slices.IndexFunc(kinds, func(k config.Kind) bool { return k.Name == "ollama" })])
	address := strings.TrimPrefix(p.BaseURL, "http://")
	c, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	request := []byte("GET /api/version HTTP/1.1\r\nHost: " + address + "\r\n\r\n")
	answer := make([]byte, 4096)
	measure(b, func() {
		if _, err := c.Write(request); err != nil {
			b.Fatal(err)
		}
		if n, err := c.Read(answer); err != nil || n < 100 {
			b.Fatalf("%d bytes: %v", n, err)
		}
	})
}

// serveInProcess starts a healthy server of the kind in a process of its own.
func serveInProcess(b *testing.B, k config.Kind) config.Provider {
	b.Helper()
	s := healthyScenario(b, k)
	if s == nil {
		b.Skip("no scenario shows it healthy")
	}
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), theatreOf+"="+k.Name)
	stop, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stop.Close()
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	p := &play{scenario: s, kind: k}
	p.configure(&theatre{address: strings.TrimSpace(address)})
	return p.provider
}
