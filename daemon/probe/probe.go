// Package probe knows how to ask a provider whether it can be used: how to reach
// it, which request decides, and how its answers read. It returns an
// [Observation], which names the rule that the evidence falls under, and never a
// state: what the evidence means after thresholds is for daemon/judge to say.
//
// A kind of provider is a row in a file of its own (ollama.go, openai.go, …),
// listed once in table.go; docs/adding-a-kind.md tells how to add one. What is
// the same for every kind is in the other files:
//
//   - headers.go says what every request carries, exchange.go sends one and follows its
//     redirects, legible.go undoes how its answer is encoded;
//   - server.go says who serves the provider, and what it means when the key was kept
//     from them;
//   - failure.go reads what went wrong below HTTP, tlsfailure.go and tlstrust.go why a
//     handshake failed, certificate_asked.go who wants a certificate of ours;
//     tls_mismatch.go and http2_mismatch.go tell who speaks another protocol;
//   - rules.go judges an answer; what one complains of, what that means and when to come back
//     are for daemon/probe/complaint to say;
//   - between.go and proxied.go tell who answered in the provider's place, whom
//     daemon/probe/intermediary knows, and otherbase.go which base_url is meant;
//   - stall.go tells an engine that hangs behind a server that is well.
//
// redact.go is the one door through which text from outside enters an Observation. What is a
// secret there, however it is spelled, is for daemon/probe/spelling to say; the
// connections themselves are made and kept by daemon/probe/transport.
//
// It imports the standard library, daemon/config, daemon/listener, the rooms below this one,
// store/provider, golang.org/x/sys, and a library each for the kinds that need one:
// JSONPath (http), miekg/dns, grpc-go, and godbus/dbus (systemd).
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

// Options are what a [Prober] takes from outside. The zero value is what the
// daemon wants.
type Options struct {
	// Now is the clock; nil means [time.Now].
	Now func() time.Time
	// UserAgent is sent with every request; empty means "providerd".
	UserAgent string
	// Resolve looks up a host's addresses; nil means the system's resolver. It
	// is not asked about localhost, which is 127.0.0.1 and ::1 by RFC 6761.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// Dial connects to one address ("tcp" and "host:port", or "unix" and a
	// path); nil means a [net.Dialer].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// RootCAs are the certificate authorities to trust; nil means the system's.
	RootCAs *x509.CertPool
	// Proxy chooses the proxy for a request that leaves this machine's network;
	// nil means [http.ProxyFromEnvironment]. Local kinds never use one.
	Proxy func(*http.Request) (*url.URL, error)
	// Listener tells who listens at an address of this machine; nil means
	// [listener.At].
	Listener func(netip.AddrPort) (listener.Socket, error)
	// Common is what all probers together hold once; nil means that each holds its own.
	Common *Common
	// Processes finds the process behind a socket, for all probers together; nil
	// means that it is not looked for.
	Processes *listener.Processes
	// Files is told of the files that probes read, which may hang; nil: nobody is.
	Files *underway.Work
	// Scarce is told when a probe broke because this machine has no more open files,
	// memory or processes to give; nil: nobody is.
	Scarce func(error)
}

// A Prober asks one provider. It keeps a connection between probes, unless that could
// take a server's only place (see kind.many), and what it learned about how to ask. Its methods are not for concurrent use.
type Prober struct {
	provider  *config.Provider // the scheduler's too; nothing writes to it
	kind      *kind
	kinds     []*kind // all of them, to name the one that answers instead
	peculiar  asker   // nil for the kinds that a row describes wholly
	watch     watcher // see kind.watch
	watching  bool    // watch wants to look again
	base      *url.URL
	localhost bool        // base names it, which is two addresses
	twin      bool        // base is one of them, and nobody said which
	header    http.Header // shared by all requests; nothing writes to it
	first     *request    // the one that probes begin with
	confirmed bool        // see kind.confirm
	hungUp    bool        // it did, without a word
	older     bool        // it was found to speak HTTP/1.1, or not to speak HTTP/2 alone
	parts     bool        // from its connection after each probe: see kind.many
	transport transport.HTTP
	dialer    *transport.Dialer
	proxy     *url.URL // nil: straight
	keyless   string   // why no request carries the key; empty: they may
	processes *listener.Processes
	scarce    func(error)
	files     *underway.Work // of a plug-in, one at a time: what hangs holds no more than a thread; or nil
	common    *Common
	clean     *redactor
	told      map[string]string // the headers that telling returned last
	now       func() time.Time
}

// New prepares to probe p, which the Prober keeps and which must not change; it does
// no I/O. The error says which setting of p cannot be used.
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
		bare = nil // nobody is asked without the key
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

// Close ends it, and gives up the kept connection.
func (p *Prober) Close() { p.Part() }

// Part gives up the kept connection, which takes a place at the server. The next probe
// makes a new one.
func (p *Prober) Part() { p.transport.CloseIdleConnections() }

// Probe asks the provider once. Everything it does shares one deadline, the
// provider's timeout. When ctx ends first, the observation's Saw is empty: it
// tells nothing about the provider and must not be judged.
//
// A panic below is part of the observation (probe_failed): a probe can harm
// nothing but its own provider's row.
func (p *Prober) Probe(ctx context.Context, ask Ask) Observation {
	r := &run{p: p, caller: ctx, facts: ask.Facts, trace: transport.NewTrace(p.now)}
	began := p.now()
	p.clean.begin()
	found := r.probe(ctx, ask)
	p.hungUp, p.older = p.hungUp || r.hungUp, p.older || r.answered
	o := r.observation(began, found)
	if ask.Part || p.parts || p.dialer.StandsIn() {
		p.Part()
	}
	return o
}
