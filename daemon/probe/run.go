package probe

import (
	"context"
	"fmt"
	"time"

	"github.com/providerd/providerd/daemon/probe/term"
	"github.com/providerd/providerd/daemon/probe/transport"
	"github.com/providerd/providerd/store/provider"
)

// A run is one probe in progress.
type run struct {
	p      *Prober
	caller context.Context // its end means that nobody wants the result
	trace  *transport.Trace
	facts  bool // everything is asked, not only what decides
	bare   bool // a bare connect, and nothing else so far

	sent      bool             // a request was handed to the transport
	answered  bool             // an HTTP answer came back
	hungUp    bool             // the peer did, without a word
	inBody    bool             // the last request got as far as the body of its answer
	latency   time.Duration    // of the deciding request
	retryAt   time.Time        // from its headers
	limits    []provider.Limit // from the headers of all answers, the newest first
	withheld  string           // why the key was not sent; empty if it was, or there is none
	last      *answer          // to the last request
	learned   []*answer        // to facts, for the watcher
	busy      *provider.Busy   // according to the watcher; nil: not known
	refusal   finding          // of a guarded fact, which refuses everything
	exchanges []provider.Exchange
	checks    []provider.CheckStep
}

// probe decides, and learns the facts if they are wanted.
func (r *run) probe(ctx context.Context, ask Ask) (found finding) {
	defer func() {
		if v := recover(); v != nil {
			found = finding{saw: provider.ProbeFailed, detail: fmt.Sprintf("panic: %v", v)}
		}
	}()
	p := r.p
	if found = p.unaskable(); found.saw != "" {
		return found
	}
	limit := term.New(ctx, p.provider.Timeout)
	defer limit.Cancel()
	ctx = r.trace.Watch(limit)
	if ask.Fresh {
		p.transport.CloseIdleConnections()
	}
	if r.bare = (ask.DialFirst || ask.Bare) && p.isDialled(); r.bare {
		if !ask.Bare {
			p.transport.CloseIdleConnections()
		}
		defer p.dialer.Drop()
		if err := p.dialer.Prepare(ctx, r.trace); err != nil {
			return r.failure(err)
		}
	}
	if ask.Bare {
		return finding{}
	}
	r.bare = false
	if found = r.decide(ctx); found.saw == provider.ConnectionReset {
		found = r.otherLoopback(ctx, found)
	}
	if found = r.unlessBetween(found); found.saw != provider.OK {
		return r.otherBase(ctx, found, ask.Fresh)
	}
	if ask.Facts && found.saw == provider.OK {
		r.learn(ctx, &found.facts)
		if r.refusal.saw != "" {
			p.confirmed = false
			found.saw, found.detail = r.refusal.saw, r.refusal.detail
		}
	}
	if (ask.Facts || p.watching) && found.saw == provider.OK && p.watch != nil {
		ill := r.watch(ctx)
		if found.facts.Busy, found.facts.LoadAsked = r.busy, true; ill.saw != "" {
			found.saw, found.detail = ill.saw, ill.detail
		}
	}
	return found
}

// isDialled reports whether a connection straight to the provider shows whether it is
// there.
func (p *Prober) isDialled() bool {
	return p.proxy == nil && p.kind.Address == nil && p.dialer.Network != "udp"
}

// watch looks for an illness behind a good answer.
func (r *run) watch(ctx context.Context) finding {
	latency := r.latency
	defer func() { r.latency = latency }()
	var ill finding
	ill, r.p.watching = r.p.watch(ctx, r)
	return ill
}

// decide sends the request or requests that decide.
func (r *run) decide(ctx context.Context) finding {
	if r.p.peculiar != nil {
		return r.p.peculiar(ctx, r)
	}
	a := r.get(ctx, r.p.kind.path)
	found := r.examine(a)
	if found.saw != provider.OK && a.err == nil {
		return r.reconsider(ctx, a, found)
	}
	if found.saw == provider.OK {
		if other := r.confirm(ctx, a); other.saw != "" {
			return other
		}
	}
	if found.saw == provider.OK && r.p.kind.proof != "" && !r.p.provider.Key.IsZero() {
		if rejected := r.prove(ctx); rejected.saw != "" {
			return rejected
		}
	}
	return found
}

// reconsider finds out what is behind an answer that is not the good one.
func (r *run) reconsider(ctx context.Context, a *answer, found finding) finding {
	if r.p.kind.reconsider == nil {
		return found
	}
	latency, retryAt := r.latency, r.retryAt
	defer func() { r.latency, r.retryAt = latency, retryAt }()
	return r.p.kind.reconsider(ctx, r, a, found)
}

// confirm makes sure that an answer of the kind's shape came from the kind.
func (r *run) confirm(ctx context.Context, a *answer) finding {
	if r.p.confirmed || r.p.kind.confirm == nil {
		return finding{}
	}
	latency := r.latency
	defer func() { r.latency = latency }()
	found := r.p.kind.confirm(ctx, r, a)
	r.p.confirmed = found.saw == ""
	return found
}

// prove asks for a page that wants the key. Only a clear refusal counts: that page may be
// switched off, or slow, while the provider is up.
func (r *run) prove(ctx context.Context) finding {
	latency := r.latency
	defer func() { r.latency = latency }()
	a := r.get(ctx, r.p.kind.proof)
	if a.err == nil && (a.status == 401 || a.status == 403 || a.status >= 400 && a.complaint().Means(a.status) == provider.Unauthorized) {
		if found := r.between(a); found.saw != "" {
			return found
		}
		return r.general(a)
	}
	return finding{}
}

// withoutAny makes sure that a server wants no key, if none is configured.
func (r *run) withoutAny(ctx context.Context) finding {
	if !r.p.provider.Key.IsZero() {
		return finding{}
	}
	if a := r.get(ctx, r.p.kind.proof); a.err == nil && a.status == 401 {
		return r.general(a)
	}
	return finding{}
}

// examine decides what the answer to the deciding request means.
func (r *run) examine(a *answer) finding { return r.judge(a, r.p.kind.accept) }

// judge decides what an answer means; accept recognises the right shape.
func (r *run) judge(a *answer, accept func(*answer) (Facts, bool)) finding {
	if a.err != nil {
		return r.failure(a.err)
	}
	if a.status/100 != 2 {
		if found := r.betweenByName(a); found.saw != "" {
			return found
		}
	}
	if a.blocked != "" {
		return r.redirected(a)
	}
	if r.p.kind.except != nil {
		if found := r.p.kind.except(a); found.saw != "" {
			return r.orBetween(found, a)
		}
	}
	if a.status/100 == 2 {
		if a.whole() {
			if facts, ok := accept(a); ok {
				return finding{saw: provider.OK, facts: facts}
			}
		}
		if found := r.admits(a); found.saw != "" {
			return found
		}
		return r.foreign(a)
	}
	if name := r.intruder(a); name != "" {
		return finding{saw: provider.WrongService, detail: name + " answers, not " + r.p.kind.title}
	}
	if found := r.between(a); found.saw != "" {
		return found
	}
	return r.general(a)
}

// learn sends the further requests. Each gets an equal share of the remaining time, so that
// a silent one starves neither the others nor the verdict.
func (r *run) learn(ctx context.Context, known *Facts) {
	latency := r.latency
	defer func() { r.latency = latency }()
	facts := r.p.kind.facts
	deadline, _ := ctx.Deadline()
	for i := range facts {
		share := time.Until(deadline) / time.Duration(len(facts)-i)
		if share <= latency {
			return // it needs longer than that to answer, so silence would mean nothing
		}
		r.learnOne(ctx, &facts[i], share, known)
	}
}

func (r *run) learnOne(ctx context.Context, f *fact, share time.Duration, known *Facts) {
	limit := term.New(ctx, share)
	defer limit.Cancel()
	ask := r.get
	if f.post {
		ask = r.post
	}
	a := ask(limit, f.path)
	if f.private {
		r.exchanges[len(r.exchanges)-1].BodyStart = ""
	}
	switch {
	case a.err != nil:
		if f.silence != "" && transport.IsTimeout(a.err) && r.caller.Err() == nil && r.reached() {
			known.Note = f.silence
		}
	case a.status == 401 && f.guarded:
		r.refusal = r.general(a)
	case a.status/100 == 2 && a.whole():
		f.read(a, known)
	}
	if r.p.watch != nil {
		r.learned = append(r.learned, a)
	}
}

// learnedOrAsk is the answer that the facts were learned from or, if this probe did not ask
// for them, a new one.
func (r *run) learnedOrAsk(ctx context.Context, path string) *answer {
	for _, a := range r.learned {
		if a.request.path == path {
			return a
		}
	}
	return r.get(ctx, path)
}

// observation puts everything together, and cleans it.
func (r *run) observation(began time.Time, found finding) Observation {
	p := r.p
	r.meets() // whatever it was that connected
	found = p.withoutFault(r.withoutKey(found))
	pid, exists := r.process()
	o := Observation{
		Began:     began,
		Took:      p.now().Sub(began),
		Saw:       found.saw,
		Detail:    p.clean.line(found.detail, maxDetail),
		Hint:      p.clean.line(found.hint, maxHint),
		HostFault: found.hostFault,
		Bare:      r.bare && found.saw == provider.ConnectionRefused,
		Refusal:   found.saw == provider.WrongService && r.last != nil && r.last.err == nil && r.last.status/100 == 4,
		Facts:     found.facts,
		Endpoint:  p.found(),
		PID:       pid,
		PIDExists: exists,
	}
	o.KeyWithheld = r.withheld != ""
	if r.answered || p.kind.mute {
		o.Latency = r.latency
	}
	if o.Saw == provider.RateLimited || o.Saw == provider.Overloaded {
		o.RetryAt = r.retryAt
	}
	if isOwn(o.Saw) {
		o.Limits = newest(found.facts.Limits, r.limits)
	}
	o.PortListening, o.APIResponding = r.liveness(found.saw)
	p.clean.facts(&o.Facts)
	p.common.facts(&o.Facts)

	o.Evidence = provider.Diagnostics{
		ID:       p.provider.ID,
		Kind:     p.provider.Kind,
		Endpoint: p.provider.Endpoint,
		BeganAt:  provider.Time{Time: began},
		TookMS:   provider.Milliseconds(o.Took),
		Requests: r.exchanges,
		Checks:   r.checks,
		Listener: r.listenerStep(pid),
	}
	r.trace.Report(&o.Evidence, func(s string) string { return p.clean.line(s, maxDetail) })
	return o
}

// checked notes a check that does not use HTTP, when it began, and its result.
func (r *run) checked(began time.Time, asked, answer, failure string) {
	r.checks = append(r.checks, provider.CheckStep{
		Asked:  r.p.clean.line(asked, maxDetail),
		Answer: r.p.clean.line(answer, maxDetail),
		TookMS: provider.Milliseconds(r.p.now().Sub(began)),
		Error:  r.p.clean.line(failure, maxDetail),
	})
}

// reached reports whether there is a connection: a new one, or the kept one if nothing was
// dialled.
func (r *run) reached() bool {
	phase := r.trace.At()
	return phase >= transport.Handshaking || phase == transport.Untried && r.sent
}

// liveness reports whether a connection was accepted, and whether an answer in the kind's
// protocol came back; nil if that was not tried.
func (r *run) liveness(saw provider.Reason) (listening, responding *bool) {
	reached := r.answered || r.reached()
	if !reached && saw == provider.ProbeFailed { // the failure is ours
		return nil, nil
	}
	if !reached && r.trace.At() < transport.Connecting {
		return nil, nil
	}
	if r.p.proxy == nil {
		listening = &reached
	}
	if r.p.kind.mute {
		return listening, nil
	}
	responds := r.answered
	switch saw {
	case provider.WrongService, provider.BadResponse, provider.TLSFailure, provider.Intermediary:
		responds = false
	}
	return listening, &responds
}
