// Package probe asks a provider whether it can be used. It knows how to reach the provider,
// which request decides, and how to read the answers. It returns an [Observation], which
// names the rule that the evidence falls under, and never a state: daemon/judge decides
// what the evidence means after thresholds.
//
// A kind of provider is a row in a file of its own (ollama.go, openai.go, …), listed once
// in table.go; docs/adding-a-kind.md shows how to add one. What is the same for every kind
// is in the other files:
//
//   - headers.go has what every request carries, exchange.go sends one and follows its
//     redirects, legible.go decodes its answer;
//   - server.go finds out who serves the provider, and what it means if the key was
//     withheld from that server;
//   - failure.go explains failures below HTTP, tlsfailure.go and tlstrust.go failed
//     handshakes, certificate_asked.go servers that want a client certificate;
//     tls_mismatch.go and http2_mismatch.go recognise servers of another protocol;
//   - rules.go judges an answer; daemon/probe/complaint reads what it complains about, what
//     that means and when to come back;
//   - between.go and proxied.go explain who answered in the provider's place, which
//     daemon/probe/intermediary recognises, and otherbase.go which base_url is meant;
//   - stall.go recognises an engine that hangs behind a healthy server.
//
// redact.go is the only way for text from outside into an Observation. Package
// daemon/probe/spelling finds the secrets in it, however they are spelled;
// daemon/probe/transport makes and keeps the connections.
//
// It imports the standard library, daemon/config, daemon/listener, the rooms below this
// one, store/provider, golang.org/x/sys, and the libraries that single kinds need: JSONPath
// (http), miekg/dns, grpc-go, and godbus/dbus (systemd).
package probe

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/listener"
	"github.com/providerd/providerd/daemon/probe/transport"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/underway"
)

// Options are what a [Prober] takes from outside. The zero value suits the daemon.
type Options struct {
	// Now is the clock; nil means [time.Now].
	Now func() time.Time
	// UserAgent is sent with every request; empty means "providerd".
	UserAgent string
	// Resolve looks up a host's addresses; nil means the system's resolver. It is not used
	// for localhost, which is 127.0.0.1 and ::1 by RFC 6761.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// Dial connects to one address ("tcp" and "host:port", or "unix" and a
	// path); nil means a [net.Dialer].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// RootCAs are the certificate authorities to trust; nil means the system's.
	RootCAs *x509.CertPool
	// Proxy chooses the proxy for a request that leaves this machine's network;
	// nil means [http.ProxyFromEnvironment]. Local kinds never use one.
	Proxy func(*http.Request) (*url.URL, error)
	// Listener finds out who listens at an address of this machine; nil means
	// [listener.At].
	Listener func(netip.AddrPort) (listener.Socket, error)
	// Common is what all probers share; nil means that each has its own.
	Common *Common
	// Processes finds the process behind a socket, for all probers; nil means that it is
	// not looked for.
	Processes *listener.Processes
	// Files tracks the reads of files by probes, which may hang; nil: they are not tracked.
	Files *underway.Work
	// Scarce is called if a probe failed because this machine ran out of open files, memory
	// or processes; may be nil.
	Scarce func(error)
}

// A Prober probes one provider. Between probes it keeps what it learned about how to ask,
// and a connection, unless that could take a server's only place (see kind.many). Its
// methods are not for concurrent use.
type Prober struct {
	provider  *config.Provider // shared with the scheduler; nothing writes to it
	kind      *kind
	kinds     []*kind // all kinds, to name the one that answers instead
	peculiar  asker   // nil for kinds that are wholly described by their row
	watch     watcher // see kind.watch
	watching  bool    // watch wants to look again
	base      *url.URL
	localhost bool        // base names it, which is two addresses
	twin      bool        // base is one of the two, by default
	header    http.Header // shared by all requests; nothing writes to it
	first     *request    // the one that probes begin with
	confirmed bool        // see kind.confirm
	hungUp    bool        // it did, without a word
	older     bool        // it is known to speak HTTP/1.1, or not only HTTP/2
	parts     bool        // it closes its connection after each probe: see kind.many
	transport transport.HTTP
	dialer    *transport.Dialer
	proxy     *url.URL // nil: none
	keyless   string   // why no request may carry the key; empty: they may
	processes *listener.Processes
	scarce    func(error)
	files     *underway.Work // of a plug-in, one at a time, so that a hung read blocks only one thread; or nil
	common    *Common
	clean     *redactor
	told      map[string]string // the headers that telling returned last
	now       func() time.Time
}

// New prepares to probe p, which the Prober keeps and which must not change. It does no
// I/O. The error names the setting of p that cannot be used.
func New(p *config.Provider, o Options) (*Prober, error) {
	for _, k := range table {
		if k.Name == p.Kind {
			return newProber(p, k, o)
		}
	}
	return nil, fmt.Errorf("probe %s: no such kind: %q", p.ID, p.Kind)
}

func newProber(p *config.Provider, k *kind, o Options) (*Prober, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Scarce == nil {
		o.Scarce = func(error) {}
	}
	base, err := url.Parse(p.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("probe %s: base_url of %s cannot be read", p.ID, p.Endpoint) // err would show user-info
	}
	if strings.ContainsFunc(p.Key.Reveal(), unicode.IsControl) {
		return nil, fmt.Errorf("probe %s: the key of %s contains a control character", p.ID, p.KeySource)
	}
	pr := &Prober{
		provider:  p,
		kind:      k,
		kinds:     table,
		parts:     k.many == "" && p.OnThisMachine(),
		base:      base,
		localhost: config.IsLocalhost(base.Hostname()),
		now:       o.Now,
		processes: o.Processes,
		scarce:    o.Scarce,
		common:    o.Common,
	}
	if len(p.Command) > 0 {
		pr.files = &underway.Work{Most: 1, Also: o.Files}
	}
	agent := cmp.Or(o.UserAgent, "providerd")
	bare := o.Common.headersOf(k, agent, func() http.Header { return bareHeaders(k, agent) })
	pr.header = headers(p, k, base, bare)
	if k.peculiar != nil {
		if pr.peculiar, err = k.peculiar(p); err != nil {
			return nil, fmt.Errorf("probe %s: %w", p.ID, err)
		}
	}
	if k.watch != nil {
		pr.watch = k.watch()
	}
	if pr.proxy, err = chooseProxy(p, base, o.Proxy); err != nil {
		return nil, fmt.Errorf("probe %s: choose a proxy: %w", p.ID, err)
	}
	pr.clean = newRedactor(p, base, pr.proxy, pr.header)
	guarded := transport.IsGuarded(p, base.Scheme, hasSecret(p, base))
	if !guarded {
		bare = nil // every request carries the key
	}
	pr.dialer = transport.NewDialer(base, transport.Options{
		Now: o.Now, Resolve: o.Resolve, Dial: o.Dial, RootCAs: o.RootCAs, Listener: o.Listener, Guarded: guarded,
		Credentials: o.Common.tlsFiles().Of(p.TLS, o.Files),
	})
	if pr.twin = !p.BaseURLGiven && p.BaseURL == k.BaseURL && k.Type == provider.Local; pr.twin {
		pr.dialer.AlsoVersion6()
	}
	var asks bool
	if pr.transport, asks = transport.New(pr.dialer, base, pr.proxy, bare); guarded && !asks {
		pr.header, pr.keyless = bare, unguarded(pr.proxy)
	}
	return pr, nil
}

// Close ends the Prober and closes the kept connection.
func (p *Prober) Close() { p.Part() }

// Part closes the kept connection, which takes a place at the server. The next probe makes
// a new one.
func (p *Prober) Part() { p.transport.CloseIdleConnections() }

// Probe probes the provider once. All of it shares one deadline, the provider's timeout. If
// ctx ends first, the observation's Saw is empty: it says nothing about the provider and
// must not be judged.
//
// A panic becomes an observation (probe_failed): it affects no other provider's row.
func (p *Prober) Probe(ctx context.Context, ask Ask) Observation {
	r := &run{p: p, caller: ctx, facts: ask.Facts, trace: transport.NewTrace(p.now)}
	began := p.now()
	p.clean.begin()
	found := r.probe(ctx, ask)
	if ask.Bare && found.saw != provider.ConnectionRefused {
		found = finding{}
	}
	p.hungUp, p.older = p.hungUp || r.hungUp, p.older || r.answered
	o := r.observation(began, found)
	if ask.Part || p.parts || p.dialer.StandsIn() {
		p.Part()
	}
	return o
}
