package transport

import (
	"context"
	"sync"
	"time"

	"github.com/providerd/providerd/daemon/probe/term"
	"github.com/providerd/providerd/store/provider"
)

// A Phase is how far a probe's connection has come.
type Phase int

const (
	Untried     Phase = iota // nothing was dialled: the kept connection was used
	Resolving                // the host's name is being looked up
	Connecting               // an address was dialled and has not answered
	Handshaking              // connected; the TLS handshake is in progress
	Connected                // ready for a request
)

// A Trace records how a probe's connections were made. Addresses are raced in goroutines,
// and net/http's dials for a proxy may outlive their request, so the trace has a lock, and
// records nothing more once it was reported.
type Trace struct {
	now func() time.Time
	ctx context.Context // the probe's

	mu      sync.Mutex
	over    bool
	phase   Phase
	made    int // connections made
	conn    *Conn
	resolve *provider.ResolveStep
	dials   []provider.DialStep
	began   []time.Time // of dials
	tls     *provider.TLSStep

	tunnelled bool // a proxy connected us to the provider

	offer   offer               // what handshakes use
	request *CertificateRequest // nil: the server did not ask
	failed  error               // result of the handshake behind a proxy
}

type traceKey struct{}

// NewTrace makes a trace; now is its clock.
func NewTrace(now func() time.Time) *Trace { return &Trace{now: now} }

// Watch ties t to the probe's context, and returns one that carries t to the dialer.
// net/http gives a dial the values of the request's context, but neither its deadline nor
// its end. Those are in t.ctx.
func (t *Trace) Watch(ctx context.Context) context.Context {
	t.ctx = ctx
	return carrier{ctx, t}
}

// A carrier is a context with a trace.
type carrier struct {
	context.Context
	trace *Trace
}

// Value implements [context.Context].
func (c carrier) Value(key any) any {
	if key == (traceKey{}) {
		return c.trace
	}
	return c.Context.Value(key)
}

// AfterFunc is that of the context; see package term.
func (c carrier) AfterFunc(f func()) (stop func() bool) { return term.AfterFunc(c.Context, f) }

// traceOf finds the trace that Watch put into ctx.
func traceOf(ctx context.Context) *Trace { return ctx.Value(traceKey{}).(*Trace) }

// note runs f under the lock, unless the trace was already reported.
func (t *Trace) note(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over {
		f()
	}
}

func (t *Trace) enter(p Phase) { t.note(func() { t.phase = p }) }

func (t *Trace) resolved(step provider.ResolveStep) { t.note(func() { t.resolve = &step }) }

// Shook notes a TLS handshake.
func (t *Trace) Shook(step *provider.TLSStep) { t.note(func() { t.tls = step }) }

// GoodUntil notes when the certificate of the handshake expires, or one that signed it.
func (t *Trace) GoodUntil(end time.Time) {
	t.note(func() {
		if t.tls != nil {
			t.tls.GoodUntil = provider.Time{Time: end}
		}
	})
}

// dialling notes that an address is being dialled, and returns a function to call at its
// end.
func (t *Trace) dialling(address string) (done func(error)) {
	i := -1
	t.note(func() {
		i = len(t.dials)
		t.phase = Connecting
		t.dials = append(t.dials, provider.DialStep{Address: address})
		t.began = append(t.began, t.now())
	})
	return func(err error) {
		t.note(func() {
			if i < 0 {
				return
			}
			t.dials[i].TookMS = provider.Milliseconds(t.now().Sub(t.began[i]))
			t.began[i] = time.Time{}
			if err != nil {
				t.dials[i].Error = systemText(err)
			}
		})
	}
}

// Ready notes a connection that a request can use; c is nil if it is not watched.
func (t *Trace) Ready(c *Conn) {
	t.note(func() { t.phase, t.conn, t.made = Connected, c, t.made+1 })
}

// At returns how far the connection has come.
func (t *Trace) At() Phase {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.phase
}

// IsTunnelled reports whether a proxy connected us to the provider.
func (t *Trace) IsTunnelled() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tunnelled
}

// Connections returns how many connections were made so far, and the last one.
func (t *Trace) Connections() (int, *Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.made, t.conn
}

// Context is the probe's, with its deadline and its end.
func (t *Trace) Context() context.Context { return t.ctx }

// Report moves the notes into the evidence and closes the trace. Text from outside is
// cleaned by clean.
func (t *Trace) Report(d *provider.Diagnostics, clean func(string) string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	for i := range t.dials {
		if !t.began[i].IsZero() {
			t.dials[i].TookMS = provider.Milliseconds(t.now().Sub(t.began[i]))
			t.dials[i].Error = "no answer"
		}
		t.dials[i].Error = clean(t.dials[i].Error)
	}
	if t.resolve != nil {
		t.resolve.Error = clean(t.resolve.Error)
	}
	if t.tls != nil {
		t.tls.Error = clean(t.tls.Error)
		t.tls.Issuer = clean(t.tls.Issuer)
		t.tls.Subject = clean(t.tls.Subject)
		t.tls.ClientCertificate = t.request.step(clean)
		if t.offer.outdated != nil {
			t.tls.Outdated = clean(t.offer.outdated.Error())
		}
	}
	d.Resolve, d.Dial, d.TLS = t.resolve, t.dials, t.tls
}
