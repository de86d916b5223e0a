package fleet

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/fleet/bus"
	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/daemon/schedule"
	"github.com/providerd/providerd/store/provider"
)

// Mode is how this machine stands to its fleet.
func (e *Engine) Mode() provider.FleetMode {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.mode
}

// Changed is closed at the next change of [Engine.Fleet] other than an age.
func (e *Engine) Changed() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.changed
}

// Fleet is what this machine knows of its fleet. It does not wait for the bus.
func (e *Engine) Fleet() provider.FleetReply {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := provider.NoFleet()
	now := time.Now()
	r.Counters = e.count
	if e.why != nil {
		r.Why = provider.Printable(e.why.Error())
	}
	if e.cfg == nil {
		return r
	}
	r.Mode, r.Since = e.mode, provider.Time{Time: e.since}
	r.Name, r.Member, r.Trust, r.Endpoints = e.cfg.Name, e.cfg.Member, string(e.cfg.Trust), e.cfg.Endpoints
	r.Hint = e.hint()
	r.CertificateExpires = provider.Time{Time: e.certificateEnds}
	if e.joined != nil {
		answered := now.Sub(e.joined.s.Answered()).Milliseconds()
		r.AnsweredMS = &answered
	}
	held, key := e.held(), wire.KeyTag(e.cfg.Key)
	for _, name := range slices.Sorted(maps.Keys(e.peers)) {
		r.Members = append(r.Members, e.memberReply(name, e.peers[name], held[name], key, now))
		if h := e.hostReply(name, now); h != nil {
			r.Hosts = append(r.Hosts, *h)
		}
	}
	for _, it := range e.items {
		r.Shared = append(r.Shared, e.sharedReply(it, now))
		if e.mode == provider.FleetAlone {
			r.StretchedIntervals = max(r.StretchedIntervals, it.stretch)
		}
	}
	r.NotShared = e.unshared
	return r
}

// hint is what to do about a mode that is not ok.
func (e *Engine) hint() string {
	switch {
	case e.why == nil:
		return ""
	case errors.Is(e.why, bus.ErrTaken):
		return "give this machine another name: member in [fleet], and a certificate with that name"
	}
	if hint := provider.HintOf(e.why); hint != "" {
		return hint
	}
	return "find out why: providerd fleet check"
}

// held are the ids of the providers of this machine by the member that probes them.
func (e *Engine) held() map[string][]string {
	held := map[string][]string{}
	for _, it := range e.items {
		if m := it.claim.member; m != "" {
			held[m] = append(held[m], it.p.ID)
		}
	}
	return held
}

func (e *Engine) memberReply(name string, p *peer, holds []string, key wire.Tag, now time.Time) provider.FleetMember {
	m := provider.FleetMember{
		Member: name, Host: p.is.Host, Version: p.is.Version, Self: name == e.self(), Mode: provider.FleetOK,
		Shares: p.is.Shares, Held: len(holds), Holds: holds,
		OtherKey: p.is.Key != (wire.Tag{}) && p.is.Key != key,
	}
	if e.mode == provider.FleetAlone {
		if m.Mode = provider.FleetUnseen; m.Self {
			m.Mode = provider.FleetAlone
		}
	}
	if age := now.Unix() - p.is.Since; p.is.Since > 0 && age >= 0 {
		m.JoinedS = &age
	}
	switch {
	case m.Self && e.joined != nil && e.joined.lag > 0:
		lag := provider.Milliseconds(e.joined.lag)
		m.LagMS = &lag
	case p.host != nil && p.host.LagMS > 0:
		lag := p.host.LagMS
		m.LagMS = &lag
	}
	return m
}

func (e *Engine) sharedReply(it *item, now time.Time) provider.FleetShared {
	s := provider.FleetShared{
		ID: it.p.ID, Prober: it.claim.member, Here: it.turn != schedule.Elsewhere, Epoch: it.claim.epoch,
		Members: 1 + len(e.listers(it)), OwnChecks: it.ownChecks, Disagrees: it.disagrees,
	}
	began := it.begunAt
	if it.holds() {
		began = it.found.began
	}
	if !began.IsZero() {
		age := now.Sub(began).Milliseconds()
		s.AgeMS = &age
	}
	if left := it.limit.until.Sub(now); left > 0 {
		s.LimitMS, s.LimitBy = left.Milliseconds(), it.limit.by
	}
	return s
}

// hostReply is what another machine says of its own servers; nil: nothing.
func (e *Engine) hostReply(name string, now time.Time) *provider.FleetHost {
	p := e.peers[name]
	if p.host == nil || name == e.self() {
		return nil
	}
	h := &provider.FleetHost{
		Member: name, AgeMS: now.Sub(p.hosts).Milliseconds(), More: p.host.More, Version: p.is.Version,
		Providers: make([]provider.FleetRow, 0, len(p.host.Servers)),
	}
	for i := range p.host.Servers {
		h.Providers = append(h.Providers, rowOf(&p.host.Servers[i]))
	}
	return h
}

func rowOf(s *wire.Server) provider.FleetRow {
	r := provider.FleetRow{
		ID: s.ID, Kind: s.Kind, Type: s.Type, State: s.State, Reason: s.Reason, Version: s.Version,
		Hint: provider.Hint(s.Reason, provider.Subject{ID: s.ID, Endpoint: cmp.Or(s.Endpoint, "its address")}), RetryInMS: s.RetryMS, Endpoint: s.Endpoint,
		LatencyMS: s.Latency, ModelsCount: s.Count, Models: s.Models, LoadedModels: s.Loaded,
	}
	if s.Endpoint != "" {
		r.Client = config.ClientOf(s.Kind, s.Endpoint, probe.Kinds())
	}
	return r
}

// sayHost writes what this machine's own servers are, if that changed. Latencies and ages are
// not worth a write.
func (e *Engine) sayHost(now time.Time) {
	j := e.joined
	if j == nil || e.mode != provider.FleetOK || now.Sub(j.hostAt) < hostEvery {
		return
	}
	h := wire.Host{Version: e.o.Version}
	for _, p := range e.providers {
		row, models := e.o.Row(p.ID)
		if p.Type != provider.Local || p.Private || row == nil || row.Unasked && row.State != provider.StateRunning || !e.isOwn(p) {
			continue
		}
		s := wire.Server{
			ID: p.ID, Kind: p.Kind, Type: p.Type, State: row.State, Reason: row.Reason, Version: row.Version,
			Endpoint: wire.Reachable(p), Count: row.ModelsCount, Loaded: row.LoadedModels,
		}
		for i := range models {
			s.Models = append(s.Models, models[i].ID)
		}
		h.Servers = append(h.Servers, s)
	}
	slices.SortStableFunc(h.Servers, func(a, b wire.Server) int { return strings.Compare(a.ID, b.ID) })
	value := h.Encode()
	if bytes.Equal([]byte(j.host), value) {
		return
	}
	j.host, j.hostAt = string(value), now
	h.LagMS = provider.Milliseconds(j.lag)
	value = h.Encode()
	key := wire.Hosts + e.self()
	e.put(func(ctx context.Context, s bus.Session) error {
		_, err := s.Put(ctx, key, value, true)
		return err
	}, func(err error) {
		if err != nil {
			j.host = "" // again at the next look
		}
	})
}

// isOwn reports whether a server runs on this machine, whatever address it has.
func (e *Engine) isOwn(p *config.Provider) bool {
	if p.OnThisMachine() {
		return true
	}
	u, err := url.Parse(p.BaseURL)
	return err == nil && u.Hostname() != "" && e.o.Own != nil && e.o.Own(u.Hostname())
}

// readCertificate notes when this member's certificate ends; zero: unknown. It reads a file.
func (e *Engine) readCertificate(cfg *config.Fleet) {
	var ends time.Time
	if pair, err := tls.LoadX509KeyPair(cfg.CertFile, cfg.KeyFile); cfg.CertFile != "" && err == nil && pair.Leaf != nil {
		ends = pair.Leaf.NotAfter
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.certificateEnds = ends
}
