package probe_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/http2"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// deadline is the timeout of the probes here. They take exactly that long.
const deadline = 250 * time.Millisecond

// mute reads, and sends nothing.
func mute(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// says sends a text, and nothing more.
func says(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, text)
		mute(c)
	}
}

// TestSilence_Layers: what silence means, depending on what came before it.
func TestSilence_Layers(t *testing.T) {
	t.Parallel()
	noDial := probe.Options{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	for _, tt := range []struct {
		name      string
		url       string
		heed      bool           // the server reads the request first
		server    func(net.Conn) // nil: see options
		options   probe.Options
		want      provider.Reason
		detail    string
		listening string
		hostFault bool
	}{
		{name: "resolver silent", url: "http://gpu.example:11434", want: provider.DNSFailure, listening: "untried", detail: "did not answer", hostFault: true,
			options: probe.Options{Resolve: func(ctx context.Context, _ string) ([]netip.Addr, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}}},
		{name: "connect timed out", url: "http://192.0.2.1:1", options: noDial, want: provider.ConnectTimeout, listening: "no"},
		{name: "connect timed out on this machine", url: "http://127.0.0.1:1", options: noDial, want: provider.Hung, listening: "no",
			detail: "something listens there but accepts no connections"},
		{name: "connected, then silence", url: "http://127.0.0.1:1", server: mute, want: provider.Hung, listening: "yes", detail: "no answer within 250ms"},
		{name: "silence in the TLS handshake", url: "https://127.0.0.1:1", server: mute, want: provider.Hung, listening: "yes",
			detail: "no TLS handshake within 250ms; perhaps it does not speak TLS: try http://"},
		{name: "headers, then silence", url: "http://127.0.0.1:1", heed: true, server: says("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"),
			want: provider.Hung, listening: "yes", detail: "did not end"},
		{name: "half a status line, then silence", url: "http://127.0.0.1:1", heed: true, server: says("HTTP/1."), want: provider.Hung, listening: "yes"},
	} {
		for _, first := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/dial first %t", tt.name, first), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					if tt.server != nil {
						n := newNetwork(t, false)
						talkOver(t, n, tt.heed, tt.server)
						tt.options.Dial = n.dial
					}
					p := configured(t, "ollama", tt.url, "")
					p.Timeout = deadline
					o := once(t, p, tt.options, probe.Ask{DialFirst: first, Facts: true})
					if o.Saw != tt.want || !strings.Contains(o.Detail, tt.detail) || o.Took != deadline {
						t.Errorf("saw %s %q after %s, want %s %q", o.Saw, o.Detail, o.Took, tt.want, tt.detail)
					}
					if got := truth(o.PortListening); got != tt.listening || o.HostFault != tt.hostFault {
						t.Errorf("port listening: %s, host fault %t, want %s, %t", got, o.HostFault, tt.listening, tt.hostFault)
					}
					if truth(o.APIResponding) == "yes" && tt.want != provider.Hung {
						t.Error("api responding, though nothing answered")
					}
				})
			})
		}
	}
}

// TestSilence_OnAKeptConnection: a hang is noticed over the kept connection, and so is the
// recovery.
func TestSilence_OnAKeptConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hang atomic.Bool
		n := newNetwork(t, false)
		s := serveOver(t, n, func(w http.ResponseWriter, r *http.Request) {
			if hang.Load() {
				<-r.Context().Done()
			}
			jsonPage(`{"version":"1"}`).ServeHTTP(w, r)
		})
		p := configured(t, "ollama", s.url, "")
		p.Timeout = deadline
		pr := newProber(t, p, probe.Options{Dial: n.dial})
		pr.Probe(t.Context(), probe.Ask{})
		hang.Store(true)
		o := pr.Probe(t.Context(), probe.Ask{})
		if o.Saw != provider.Hung || truth(o.PortListening) != "yes" || truth(o.APIResponding) != "no" || len(o.Evidence.Dial) != 0 {
			t.Errorf("saw %s %q, listening %s, responding %s: dialled %+v", o.Saw, o.Detail, truth(o.PortListening), truth(o.APIResponding), o.Evidence.Dial)
		}
		hang.Store(false)
		if o := pr.Probe(t.Context(), probe.Ask{}); o.Saw != provider.OK {
			t.Errorf("afterwards: saw %s %q", o.Saw, o.Detail)
		}
	})
}

func TestSilence_TLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, false)
		p := configured(t, "tls", "tls://"+talkOver(t, n, false, mute), "")
		p.Timeout = deadline
		o := once(t, p, probe.Options{Dial: n.dial}, probe.Ask{})
		if want := "no TLS handshake within 250ms; perhaps it does not speak TLS"; o.Saw != provider.Hung || !strings.Contains(o.Detail, want) || strings.Contains(o.Detail, "://") {
			t.Errorf("saw %s %q, want %q", o.Saw, o.Detail, want)
		}
	})
}

// TestSilence_GRPC: whatever comes before the silence, it connects once.
func TestSilence_GRPC(t *testing.T) {
	for name, tt := range map[string]struct {
		server func(net.Conn)
		detail string
	}{
		"Silent":              {mute, "connected, but no answer within 250ms"},
		"SettingsThenSilence": {inFrames(func(*http2.Framer) {}), "no answer within"},
		"HeadersThenSilence": {inFrames(func(fr *http2.Framer) {
			headersFrame(fr, false, ":status", "200", "content-type", "application/grpc")
		}), "no answer within"},
		"GoAway": {inFrames(func(fr *http2.Framer) { _ = fr.WriteGoAway(1, http2.ErrCodeNo, nil) }), ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var accepted atomic.Int32
				n := newNetwork(t, false)
				p := configured(t, "grpc", "grpc://"+talkOver(t, n, false, func(c net.Conn) { accepted.Add(1); tt.server(c) }), "")
				p.Timeout = deadline
				o := once(t, p, probe.Options{Dial: n.dial}, probe.Ask{})
				if o.Saw != provider.Hung || !strings.Contains(o.Detail, tt.detail) || o.Took != deadline {
					t.Errorf("saw %s %q after %s, want %q", o.Saw, o.Detail, o.Took, tt.detail)
				}
				if c := o.Evidence.Checks; len(c) != 1 || accepted.Load() != 1 {
					t.Errorf("connected %d times, evidence: %+v", accepted.Load(), c)
				}
			})
		})
	}
}

// TestGRPC_OneConnection: if the server sends GOAWAY, no second connection is made.
func TestGRPC_OneConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var accepted atomic.Int32
		n := newNetwork(t, false)
		address := talkOver(t, n, false, func(c net.Conn) {
			accepted.Add(1)
			fr := http2.NewFramer(c, c)
			_ = fr.WriteSettings()
			_ = fr.WriteGoAway(0, http2.ErrCodeNo, nil)
			mute(c) // until the client hangs up
		})
		p := configured(t, "grpc", "grpc://"+address, "")
		p.Timeout = deadline
		o := once(t, p, probe.Options{Dial: n.dial}, probe.Ask{})
		if got := accepted.Load(); got != 1 || o.Saw == provider.OK {
			t.Errorf("connected %d times, saw %s %q", got, o.Saw, o.Detail)
		}
	})
}

// answering answers each datagram with those that f makes of it.
func answering(f func(query []byte) [][]byte) func(net.Conn) {
	return func(c net.Conn) {
		buf := make([]byte, 64<<10)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			for _, reply := range f(buf[:n]) {
				_, _ = c.Write(reply)
			}
		}
	}
}

// nameNetworks are a server's UDP and TCP in a bubble, and how to dial them.
func nameNetworks(t *testing.T, udp, tcp func(net.Conn)) probe.Options {
	datagrams, stream := newNetwork(t, true), newNetwork(t, false)
	talkOver(t, datagrams, false, udp)
	talkOver(t, stream, false, tcp)
	return probe.Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if network == "udp" {
			return datagrams.dial(ctx, network, address)
		}
		return stream.dial(ctx, network, address)
	}}
}

// TestSilence_DNS: what is not the answer is skipped until the timeout.
func TestSilence_DNS(t *testing.T) {
	alone := func(f func(query []byte) []byte) func([]byte) [][]byte {
		return func(q []byte) [][]byte { return [][]byte{f(q)} }
	}
	for _, tt := range []struct {
		name   string
		udp    func(query []byte) [][]byte
		saw    provider.Reason
		detail string
	}{
		{"Silence", func([]byte) [][]byte { return nil }, provider.Hung, "no answer within 250ms"},
		{"Garbage", alone(func([]byte) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\nyou are not HTTP") }), provider.WrongService, `it does not speak DNS; it sent "HTTP/1.1 400`},
		{"Empty", alone(func([]byte) []byte { return nil }), provider.BadResponse, "not a DNS message"},
		{"Echo", alone(func(q []byte) []byte { return q }), provider.BadResponse, "does not answer the question"},
		{"WrongID", alone(func(q []byte) []byte { return reply(q, func(m *dns.Msg) { m.Id++ }) }), provider.BadResponse, "does not answer the question"},
		{"WrongQuestion", alone(func(q []byte) []byte { return reply(q, func(m *dns.Msg) { m.Question[0].Name = "evil.example." }) }), provider.BadResponse, "a different question"},
		{"NoQuestion", alone(func(q []byte) []byte { return reply(q, func(m *dns.Msg) { m.Question = nil }) }), provider.BadResponse, "a different question"},
		{"Broken", alone(func(q []byte) []byte { b := reply(q, nil); return b[:len(b)-3] }), provider.BadResponse, "broken"},
		{"Loop", alone(func(q []byte) []byte { // a name that points to itself
			b := reply(q, nil)
			return append(b[:len(q):len(q)], 0xc0, byte(len(q)), 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4)
		}), provider.BadResponse, "broken"},
		{"Oversized", alone(func([]byte) []byte { return make([]byte, 60000) }), provider.BadResponse, "does not answer the question"},
		{"TCPSilent", alone(func(q []byte) []byte { return reply(q, func(m *dns.Msg) { m.Truncated = true }) }), provider.Hung, "no answer within"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := configured(t, "dns", "dns://127.0.0.1:1/long.example", "")
				p.Timeout = deadline
				o := once(t, p, nameNetworks(t, answering(tt.udp), mute), probe.Ask{})
				if o.Saw != tt.saw || !strings.Contains(o.Detail, tt.detail) || o.Took != deadline {
					t.Errorf("saw %s %q after %s, want %s %q", o.Saw, o.Detail, o.Took, tt.saw, tt.detail)
				}
				if c := o.Evidence.Checks; len(c) != 1 || c[0].Error == "" {
					t.Errorf("evidence: %+v", c)
				}
			})
		})
	}
}

// TestDNS_Localhost: over UDP every address seems to connect. A silent one gets its share
// of the time, and is then left alone.
func TestDNS_Localhost(t *testing.T) {
	for _, silent := range []bool{false, true} {
		t.Run(fmt.Sprintf("silent %t", silent), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const address = "127.0.0.1:53"
				here := nameNetworks(t, answering(func(q []byte) [][]byte { return [][]byte{reply(q, nil)} }), mute)
				nowhere := nameNetworks(t, mute, mute)
				var dialled []string
				o := probe.Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
					dialled = append(dialled, network+" "+address)
					switch {
					case !strings.HasPrefix(address, "[::1]"):
						return here.Dial(ctx, network, address)
					case silent:
						return nowhere.Dial(ctx, network, address)
					}
					return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
				}}
				p := configured(t, "dns", "dns://localhost:53/one.example", "")
				p.Timeout = 2 * time.Second
				pr := newProber(t, p, o)
				for i := range 2 {
					var share time.Duration
					if silent && i == 0 {
						share = p.Timeout / 2
					}
					if got := pr.Probe(t.Context(), probe.Ask{}); got.Saw != provider.OK || got.Endpoint != "dns://"+address+"/one.example" || got.Took != share {
						t.Errorf("saw %s %q at %q after %s", got.Saw, got.Detail, got.Endpoint, got.Took)
					}
				}
				if got, want := strings.Join(dialled, ", "), "udp [::1]:53, udp "+address+", udp "+address; got != want {
					t.Errorf("dialled %s, want %s", got, want)
				}
			})
		})
	}
}

func TestOllama_SilentFactsShareTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, false)
		s := serveOver(t, n, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/api/version" {
				<-r.Context().Done()
				return
			}
			jsonPage(`{"version":"0.12.3"}`).ServeHTTP(w, r)
		})
		p := configured(t, "ollama", s.url, "")
		p.Timeout = deadline
		o := once(t, p, probe.Options{Dial: n.dial}, allAsk)
		if asked := s.asked(); o.Saw != provider.OK || !slices.Equal(asked, []string{"/api/version", "/api/tags", "/api/ps"}) {
			t.Errorf("saw %s %q after %v", o.Saw, o.Detail, asked)
		}
		if o.Latency != 0 || o.Took != deadline {
			t.Errorf("latency %s, took %s", o.Latency, o.Took)
		}
	})
}

// If the remaining time is shorter than an answer takes, the request is not sent, because
// silence would mean nothing.
func TestOllama_SlowForEverythingIsNotLoading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, false)
		s := serveOver(t, n, func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(deadline / 2):
				jsonPage(`{"version":"0.12.3"}`).ServeHTTP(w, r)
			case <-r.Context().Done():
			}
		})
		p := configured(t, "ollama", s.url, "")
		p.Timeout = deadline
		o := once(t, p, probe.Options{Dial: n.dial}, allAsk)
		if asked := s.asked(); o.Saw != provider.OK || o.Facts.Note != "" || o.Facts.Models != nil || !slices.Equal(asked, []string{"/api/version"}) {
			t.Errorf("saw %s %q, facts %+v after %v", o.Saw, o.Detail, o.Facts, asked)
		}
		if o.Latency != deadline/2 || o.Took != deadline/2 {
			t.Errorf("latency %s, took %s", o.Latency, o.Took)
		}
	})
}
