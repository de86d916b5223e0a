package probe_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/miekg/dns"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// zone is what the tests' server knows: the records for each question.
var zone = map[string][]string{
	"one.example. A":     {"one.example. 60 IN A 192.0.2.1"},
	"two.example. A":     {"two.example. 60 IN A 192.0.2.2", "two.example. 60 IN A 192.0.2.1"},
	"one.example. AAAA":  {"one.example. 60 IN AAAA 2001:db8::1"},
	"one.example. TXT":   {`one.example. 60 IN TXT "v=spf1 -all"`},
	"one.example. MX":    {"one.example. 60 IN MX 10 mail.example."},
	"one.example. CAA":   {`one.example. 60 IN CAA 0 issue "authority.example"`},
	"www.example. A":     {"www.example. 60 IN CNAME one.example.", "one.example. 60 IN A 192.0.2.1"},
	"out.example. A":     {"out.example. 60 IN CNAME one.elsewhere."},
	"out.example. CNAME": {"out.example. 60 IN CNAME one.elsewhere."},
	"empty.example. A":   {},
	". NS":               {". 60 IN NS a.root-servers.net."},
}

var refusals = map[string]int{
	"broken.example.": dns.RcodeServerFailure, "secret.example.": dns.RcodeRefused,
	"odd.example.": dns.RcodeFormatError, "new.example.": 11, "none.example.": dns.RcodeNameError,
}

// name answers from the zone. The answer for long.example does not fit into a datagram.
func name(w dns.ResponseWriter, query *dns.Msg) {
	reply := new(dns.Msg).SetReply(query)
	defer func() { _ = w.WriteMsg(reply) }()
	q := query.Question[0]
	if code, ok := refusals[q.Name]; ok {
		reply.Rcode = code
		return
	}
	if q.Name == "long.example." {
		if w.LocalAddr().Network() == "udp" {
			reply.Truncated = true
			return
		}
		for i := range 2000 {
			reply.Answer = append(reply.Answer, record(fmt.Sprintf("long.example. 60 IN A 10.0.%d.%d", i/256, i%256)))
		}
		return
	}
	for _, text := range zone[dns.CanonicalName(q.Name)+" "+dns.Type(q.Qtype).String()] {
		reply.Answer = append(reply.Answer, record(text))
	}
}

func record(text string) dns.RR {
	rr, err := dns.NewRR(text)
	if err != nil {
		panic(err)
	}
	return rr
}

// nameServer serves until the test ends. If tcp is nil, nothing listens for TCP.
func nameServer(t *testing.T, udp, tcp dns.HandlerFunc) (address string) {
	t.Helper()
	l, packets := bothPorts(t)
	if tcp == nil {
		l.Close()
	} else {
		runDNS(t, &dns.Server{Listener: l, Handler: tcp})
	}
	runDNS(t, &dns.Server{PacketConn: packets, Handler: udp})
	return packets.LocalAddr().String()
}

func runDNS(t *testing.T, s *dns.Server) {
	started, ended := make(chan struct{}), make(chan error, 1)
	s.NotifyStartedFunc = sync.OnceFunc(func() { close(started) })
	go func() { ended <- s.ActivateAndServe() }()
	<-started
	t.Cleanup(func() {
		_ = s.Shutdown()
		<-ended
	})
}

// bothPorts listens at one port number for TCP and UDP.
func bothPorts(t *testing.T) (net.Listener, net.PacketConn) {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if packets, err := net.ListenPacket("udp", l.Addr().String()); err == nil {
			return l, packets
		}
		l.Close()
	}
	t.Fatal("no number is free for TCP and UDP")
	return nil, nil
}

// datagrams answers each datagram with those that f makes of it.
func datagrams(t *testing.T, f func(query []byte) [][]byte) (address string) {
	t.Helper()
	l, c := bothPorts(t)
	l.Close()
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 64<<10)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			for _, reply := range f(buf[:n]) {
				_, _ = c.WriteTo(reply, from)
			}
		}
	})
	t.Cleanup(func() { c.Close(); wg.Wait() })
	return c.LocalAddr().String()
}

// reply is the right answer, changed.
func reply(query []byte, change func(*dns.Msg)) []byte {
	var q dns.Msg
	if err := q.Unpack(query); err != nil {
		panic(err)
	}
	m := new(dns.Msg).SetReply(&q)
	m.Answer = []dns.RR{record(q.Question[0].Name + " 60 IN A 192.0.2.1")}
	if change != nil {
		change(m)
	}
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return b
}

func TestDNS_Answers(t *testing.T) {
	t.Parallel()
	address := nameServer(t, name, name)
	for _, tt := range []struct {
		name, expect string
		saw          provider.Reason
		detail       string
	}{
		{"one.example", "", provider.OK, "192.0.2.1"},
		{"ONE.Example.?TYPE=a", "", provider.OK, "192.0.2.1"},
		{"one.example?type=28", "", provider.OK, "2001:db8::1"},
		{"one.example?type=AAAA;class=IN", "", provider.OK, "2001:db8::1"},
		{"one.example?type=TXT", "", provider.OK, `"v=spf1 -all"`},
		{"one.example?type=MX", "", provider.OK, "10 mail.example."},
		{"one.example?type=CAA", "", provider.OK, `0 issue "authority.example"`},
		{".?type=NS", "", provider.OK, "a.root-servers.net."},
		{"two.example", "", provider.OK, "192.0.2.1, 192.0.2.2"},
		{"two.example", "[.]2$", provider.OK, "192.0.2.1, 192.0.2.2"},
		{"two.example", "[.]3$", provider.BadResponse, `no record matches expect_answer "[.]3$": 192.0.2.1, 192.0.2.2`},
		{"www.example", "", provider.OK, "192.0.2.1"},
		{"www.example", "one", provider.BadResponse, "no record matches"},
		{"out.example", "", provider.DNSFailure, "out.example. is an alias of one.elsewhere."},
		{"out.example?type=CNAME", "", provider.OK, "one.elsewhere."},
		{"empty.example", "", provider.DNSFailure, "no record of that type: empty.example. A"},
		{"none.example", "", provider.DNSFailure, "no such name: none.example."},
		{"broken.example", "", provider.DNSFailure, "SERVFAIL"},
		{"secret.example", "", provider.Forbidden, "refuses to look up secret.example."},
		{"odd.example", "", provider.BadResponse, "FORMERR"},
		{"new.example", "", provider.BadResponse, "DSOTYPENI"},
		{"long.example", "", provider.OK, "10.0.0.0, 10.0.0.1, 10.0.0.10, 10.0.0.100, 10.0.0.101, 10.0.0.102, 10.0.0.103, 10.0.0.104 and 1992 more"},
		{"long.example", `^10\.0\.7\.207$`, provider.OK, "10.0.0.0, 10.0.0.1, 10.0.0.10, 10.0.0.100, 10.0.0.101, 10.0.0.102, 10.0.0.103, 10.0.0.104 and 1992 more"},
	} {
		t.Run(tt.name+tt.expect, func(t *testing.T) {
			t.Parallel()
			p := configured(t, "dns", "dns://"+address+"/"+tt.name, "")
			p.Expect.Answer = tt.expect
			o := once(t, p, probe.Options{}, probe.Ask{Facts: true, DialFirst: true})
			if o.Saw != tt.saw || !strings.Contains(o.Detail, tt.detail) || tt.saw == provider.OK && o.Detail != tt.detail {
				t.Errorf("saw %s %q, want %s %q", o.Saw, o.Detail, tt.saw, tt.detail)
			}
			if truth(o.PortListening) != "yes" || truth(o.APIResponding) == "no" != (tt.saw == provider.BadResponse) {
				t.Errorf("port listening: %s, api responding: %s", truth(o.PortListening), truth(o.APIResponding))
			}
			if c := o.Evidence.Checks; len(c) != 1 || c[0].Asked == "" || c[0].Answer == "" || c[0].Error != "" || o.HostFault {
				t.Errorf("evidence: %+v, host fault %t", c, o.HostFault)
			}
		})
	}
}

// TestDNS_Hostile is about what a server can send instead of an answer, and what ends the
// wait. TestSilence_DNS is about what does not.
func TestDNS_Hostile(t *testing.T) {
	t.Parallel()
	over := func(f func(query []byte) [][]byte) func(*testing.T) string {
		return func(t *testing.T) string { return datagrams(t, f) }
	}
	alone := func(f func(query []byte) []byte) func(*testing.T) string {
		return over(func(q []byte) [][]byte { return [][]byte{f(q)} })
	}
	// cut sends the answer over UDP as truncated, and f's bytes over TCP.
	cut := func(f func(net.Conn)) func(*testing.T) string {
		return func(t *testing.T) string {
			l, packets := bothPorts(t)
			runDNS(t, &dns.Server{PacketConn: packets, Handler: dns.HandlerFunc(name)})
			t.Cleanup(attend(l, f))
			return l.Addr().String()
		}
	}
	for _, tt := range []struct {
		name    string
		address func(*testing.T) string
		saw     provider.Reason
		detail  string
	}{
		{"NobodyThere", func(t *testing.T) string { return unusedUDP(t) }, provider.ConnectionRefused, "refused"},
		{"RefusedWithoutQuestion", alone(func(q []byte) []byte {
			return reply(q, func(m *dns.Msg) { m.Question, m.Answer, m.Rcode = nil, nil, dns.RcodeRefused })
		}), provider.Forbidden, "refuses"},
		{"OtherRecords", alone(func(q []byte) []byte {
			return reply(q, func(m *dns.Msg) { m.Answer = []dns.RR{record("x. 1 IN TXT y")} })
		}), provider.DNSFailure, "no record of that type"},
		{"Late", over(func(q []byte) [][]byte {
			return [][]byte{[]byte("noise"), reply(q, func(m *dns.Msg) { m.Id++ }), reply(q, nil)}
		}), provider.OK, "192.0.2.1"},
		{"Noise", over(func([]byte) [][]byte {
			noise := make([][]byte, 100)
			for i := range noise {
				noise[i] = []byte("noise noise noise")
			}
			return noise
		}), provider.WrongService, "noise"},
		{"TruncatedAnywhere", alone(func(q []byte) []byte {
			b := reply(q, func(m *dns.Msg) { m.Truncated = true })
			return b[:len(b)-3]
		}), provider.BadResponse, "too long for UDP, and TCP failed"},
		{"TCPCloses", cut(func(net.Conn) {}), provider.BadResponse, "and TCP failed"},
		{"TCPHalf", cut(func(c net.Conn) {
			_, _ = io.CopyN(io.Discard, c, 20)
			_, _ = c.Write([]byte{0xff, 0xff, 1, 2, 3})
		}), provider.BadResponse, "and TCP failed"},
		{"TCPGarbage", cut(func(c net.Conn) {
			_, _ = io.CopyN(io.Discard, c, 20)
			_, _ = io.WriteString(c, "\x00\x05hello")
		}), provider.BadResponse, "not a DNS message"},
		{"TCPTruncatedToo", cut(func(c net.Conn) {
			var length [2]byte
			_, _ = io.ReadFull(c, length[:])
			q := make([]byte, binary.BigEndian.Uint16(length[:]))
			_, _ = io.ReadFull(c, q)
			b := reply(q, func(m *dns.Msg) { m.Truncated = true })
			_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
		}), provider.BadResponse, "the answer is truncated too"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := configured(t, "dns", "dns://"+tt.address(t)+"/long.example", "")
			o := once(t, p, probe.Options{}, probe.Ask{})
			if o.Saw != tt.saw || !strings.Contains(o.Detail, tt.detail) {
				t.Errorf("saw %s %q, want %s %q", o.Saw, o.Detail, tt.saw, tt.detail)
			}
			if c := o.Evidence.Checks; len(c) != 1 || (c[0].Error == "") != (tt.saw == provider.OK || tt.saw == provider.Forbidden || tt.saw == provider.DNSFailure) {
				t.Errorf("evidence: %+v", c)
			}
		})
	}
}

// unusedUDP is a UDP address at which nothing listens.
func unusedUDP(t *testing.T) string {
	t.Helper()
	l, packets := bothPorts(t)
	t.Cleanup(func() { l.Close() }) // the number stays taken
	packets.Close()
	return packets.LocalAddr().String()
}

func TestDNS_NoServer(t *testing.T) {
	t.Parallel()
	p := configured(t, "dns", "dns://ns.example:53/one.example", "")
	o := once(t, p, probe.Options{Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}}, probe.Ask{})
	if o.Saw != provider.DNSFailure || !strings.Contains(o.Detail, "no such host: ns.example") {
		t.Errorf("saw %s %q", o.Saw, o.Detail)
	}
	for errno, saw := range map[syscall.Errno]provider.Reason{
		syscall.ENETUNREACH: provider.NetworkUnreachable, syscall.EMFILE: provider.ProbeFailed,
	} {
		o = once(t, configured(t, "dns", "dns://192.0.2.1:53/one.example", ""), dialFails(errno), probe.Ask{})
		if o.Saw != saw {
			t.Errorf("%v: saw %s %q", errno, o.Saw, o.Detail)
		}
	}
}

func TestDNS_Cancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	address := datagrams(t, func([]byte) [][]byte { cancel(); return nil })
	o := newProber(t, configured(t, "dns", "dns://"+address+"/one.example", ""), probe.Options{}).Probe(ctx, probe.Ask{})
	if o.Saw != "" || !strings.Contains(o.Detail, "aborted") {
		t.Errorf("saw %q %q, want nothing to judge", o.Saw, o.Detail)
	}
}

func TestDNS_Settings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ base, problem string }{
		{"dns://192.0.2.53:53/one.example", ""},
		{"dns://192.0.2.53:53/_imaps._tcp.one.example.?type=srv", ""},
		{"dns://192.0.2.53:53/version.bind?class=CH;type=TXT", ""},
		{"dns://192.0.2.53:53/.?type=257&class=1", ""},
		{"dns://192.0.2.53:53", "the name to look up is missing"},
		{"dns://192.0.2.53:53/m%C3%BCller.example", "not ASCII"},
		{"dns://192.0.2.53:53/one..example", `"one..example" is not a name`},
		{"dns://192.0.2.53:53/" + strings.Repeat("a", 64) + ".example", "is not a name"},
		{"dns://192.0.2.53:53/one.example?type=B", `"B" is not a record type`},
		{"dns://192.0.2.53:53/one.example?type=AXFR", `"AXFR" is not a record type`},
		{"dns://192.0.2.53:53/one.example?type=ANY", `"ANY" is not a record type`},
		{"dns://192.0.2.53:53/one.example?type=OPT", `"OPT" is not a record type`},
		{"dns://192.0.2.53:53/one.example?type=65536", "is not a record type"},
		{"dns://192.0.2.53:53/one.example?class=X", `"X" is not a record class`},
		{"dns://192.0.2.53:53/one.example?kind=A", `"kind" is neither type nor class`},
	} {
		_, err := probe.New(new(configured(t, "dns", tt.base, "")), probe.Options{})
		if (err == nil) != (tt.problem == "") || err != nil && !strings.Contains(err.Error(), tt.problem) {
			t.Errorf("%s: %v, want %q", tt.base, err, tt.problem)
		}
	}
}
