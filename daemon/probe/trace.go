package probe

import (
	"context"
	"sync"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A phase is how far a probe's connection has come.
type phase int

const (
	untried    phase = iota // nothing was dialled: the kept connection served
	resolving               // the host's name is being looked up
	connecting              // an address was dialled and has not answered
	shaking                 // connected; the TLS handshake is under way
	connected               // ready for a request
)

// A trace records how a probe's connections came about. Addresses are raced in
// goroutines, and those in which net/http dials for a proxy may outlive the request
// that wanted them, so the trace has a lock and takes no more notes once it was
// reported.
type trace struct {
	now func() time.Time
	ctx context.Context // the probe's

	mu      sync.Mutex
	over    bool
	phase   phase
	made    int // connections made
	conn    *conn
	resolve *provider.ResolveStep
	dials   []provider.DialStep
	began   []time.Time // of dials
	tls     *provider.TLSStep

	tunnelled bool // a proxy connected us to the provider
}

type traceKey struct{}

// watch ties t to the probe's context, and returns one that carries t to the
// dialer: net/http gives a dial the values of the request's context, and neither
// its deadline nor its end. Those are in t.ctx.
func (t *trace) watch(ctx context.Context) context.Context {
	t.ctx = ctx
	return context.WithValue(ctx, traceKey{}, t)
}

// traceOf finds the trace that watch put into ctx.
func traceOf(ctx context.Context) *trace { return ctx.Value(traceKey{}).(*trace) }

// note runs f under the lock, unless the trace was reported already.
func (t *trace) note(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over {
		f()
	}
}

func (t *trace) enter(p phase) { t.note(func() { t.phase = p }) }

func (t *trace) resolved(step provider.ResolveStep) { t.note(func() { t.resolve = &step }) }

func (t *trace) shook(step *provider.TLSStep) { t.note(func() { t.tls = step }) }

// dialling notes that an address is being dialled and returns what to call when
// that is over.
func (t *trace) dialling(address string) (done func(error)) {
	i := -1
	t.note(func() {
		i = len(t.dials)
		t.phase = connecting
		t.dials = append(t.dials, provider.DialStep{Address: address})
		t.began = append(t.began, t.now())
	})
	return func(err error) {
		t.note(func() {
			if i < 0 {
				return
			}
			t.dials[i].TookMS = milliseconds(t.now().Sub(t.began[i]))
			t.began[i] = time.Time{}
			if err != nil {
				t.dials[i].Error = systemText(err)
			}
		})
	}
}

// ready notes a connection that a request can use; c is nil when it is not
// watched.
func (t *trace) ready(c *conn) {
	t.note(func() { t.phase, t.conn, t.made = connected, c, t.made+1 })
}

func (t *trace) at() phase {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.phase
}

// isTunnelled reports whether a proxy connected us to the provider.
func (t *trace) isTunnelled() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tunnelled
}

// connections returns how many were made so far, and the last one.
func (t *trace) connections() (int, *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.made, t.conn
}

// report moves the notes into the evidence and closes the trace.
func (t *trace) report(d *provider.Diagnostics, clean *redactor) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	for i := range t.dials {
		if !t.began[i].IsZero() {
			t.dials[i].TookMS = milliseconds(t.now().Sub(t.began[i]))
			t.dials[i].Error = "no answer"
		}
		t.dials[i].Error = clean.line(t.dials[i].Error, maxDetail)
	}
	if t.resolve != nil {
		t.resolve.Error = clean.line(t.resolve.Error, maxDetail)
	}
	if t.tls != nil {
		t.tls.Error = clean.line(t.tls.Error, maxDetail)
		t.tls.Issuer = clean.line(t.tls.Issuer, maxDetail)
		t.tls.Subject = clean.line(t.tls.Subject, maxDetail)
	}
	d.Resolve, d.Dial, d.TLS = t.resolve, t.dials, t.tls
}
