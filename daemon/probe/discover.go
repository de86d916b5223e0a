package probe

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe/transport"
	"github.com/providerd/providerd/daemon/scarce"
	"github.com/providerd/providerd/store/provider"
)

// discoverWait is the deadline for all requests to one address.
const discoverWait = 2 * time.Second

// listPage is where servers that imitate OpenAI have their list of models.
const listPage = "/v1/models"

// A sign is the one request by which [Discover] recognises a kind: it costs nothing, and no
// other kind answers it the same way.
type sign struct {
	path  string // below the root of the address
	knows func(*answer) (Facts, bool)
}

// A vendorAddress is an address where some kinds listen by default.
type vendorAddress struct {
	address string // host and port
	kinds   []*kind
}

// vendorAddresses are those of all kinds with a sign, in table order.
func vendorAddresses() []vendorAddress {
	var found []vendorAddress
	for _, k := range table {
		u, err := url.Parse(k.BaseURL)
		if k.sign.path == "" || err != nil {
			continue
		}
		i := slices.IndexFunc(found, func(a vendorAddress) bool { return a.address == u.Host })
		if i < 0 {
			i = len(found)
			found = append(found, vendorAddress{address: u.Host})
		}
		found[i].kinds = append(found[i].kinds, k)
	}
	return found
}

// Discover finds the local kinds that answer at their default addresses on this machine: at
// 127.0.0.1, or at ::1 if nothing listens there. It begins with a bare connect to each
// address, and then sends at most one request for each kind that might listen there,
// without a key. A server of no known kind has an empty Kind and a Note. Discover fails if
// this machine ran out of files for one of the addresses, so that the result is incomplete.
func Discover(ctx context.Context, o Options) ([]provider.Discovered, error) {
	all := vendorAddresses()
	found := make([]*provider.Discovered, len(all))
	failed := make([]error, len(all))
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { found[i], failed[i] = all[i].discover(ctx, o) })
	}
	wg.Wait()
	if i := slices.IndexFunc(failed, func(err error) bool { return err != nil }); i >= 0 {
		return nil, failed[i]
	}
	var reply []provider.Discovered
	for _, d := range found {
		if d != nil {
			reply = append(reply, *d)
		}
	}
	return reply, nil
}

// discover asks at one address; nil if nothing listens there.
func (at vendorAddress) discover(ctx context.Context, o Options) (*provider.Discovered, error) {
	base := "http://" + at.address
	p, err := newProber(&config.Provider{
		ID: "discover", Kind: openaiCompatible.Name, Type: provider.Local,
		BaseURL: base, Endpoint: base, Timeout: discoverWait,
	}, &openaiCompatible, o)
	if err != nil {
		return nil, nil // a test proves that every address can be asked
	}
	defer p.Close()
	ctx, cancel := context.WithTimeout(ctx, discoverWait)
	defer cancel()
	p.dialer.AlsoVersion6()
	r := &run{p: p, caller: ctx, trace: transport.NewTrace(p.now)}
	ctx = r.trace.Watch(ctx)
	defer p.dialer.Drop()
	if err := p.dialer.Prepare(ctx, r.trace); scarce.Is(err) {
		p.scarce(err)
		return nil, err
	} else if err != nil {
		return nil, nil
	}
	at.address = p.dialer.Where()
	found := at.ask(ctx, r)
	found.Version, found.Note = p.clean.line(found.Version, maxDetail), p.clean.line(found.Note, maxDetail)
	return &found, nil
}

// ask sends the requests, until an answer decides.
func (at vendorAddress) ask(ctx context.Context, r *run) provider.Discovered {
	unknown := provider.Discovered{BaseURL: "http://" + at.address, Note: "it answers, but is not of a known kind"}
	asked := map[string]*answer{}
	for _, k := range at.questions() {
		a := asked[k.sign.path]
		if a == nil {
			a = r.send(ctx, r.request(k.sign.path))
			asked[k.sign.path] = a
		}
		switch {
		case a.err != nil:
			unknown.Note = r.layer(a.err).detail
			return unknown
		case !a.whole():
			continue
		}
		if other := r.p.marked(a); other != nil && other != k && other.Type == provider.Local {
			return at.found(other, Facts{})
		}
		if f, ok := k.sign.knows(a); ok && a.status == 200 {
			return at.found(k, f)
		}
		if k.marks != nil && k.marks(a) {
			return at.found(k, Facts{})
		}
		if a.status == 401 {
			unknown.Note = "it wants a key, so its kind is unknown"
			if len(at.kinds) == 1 {
				return at.found(at.kinds[0], Facts{Note: "identified by its port alone, because it wants a key"})
			}
		}
	}
	return at.listed(asked[listPage], unknown)
}

// questions are the kinds to ask for, and the model list that any server may have.
func (at vendorAddress) questions() []*kind {
	return append(slices.Clone(at.kinds), &kind{sign: sign{listPage, nobodys}})
}

// nobodys is for a page that any server may have: it proves nothing.
func nobodys(*answer) (Facts, bool) { return Facts{}, false }

// listed recognises, by its list of models, a kind at another kind's port, or an API that
// many servers have.
func (at vendorAddress) listed(a *answer, unknown provider.Discovered) provider.Discovered {
	if a == nil || a.status != 200 {
		return unknown
	}
	list, ok := readList(a)
	if !ok || list.object != "list" {
		return unknown
	}
	if k := a.prober.ownerOf(list); k != nil && k.sign.path != "" {
		return at.found(k, Facts{})
	}
	return provider.Discovered{
		Kind: openaiCompatible.Name, BaseURL: unknown.BaseURL + strings.TrimSuffix(listPage, openaiCompatible.path),
	}
}

// found is a kind at this address, with the path of its default base_url.
func (at vendorAddress) found(k *kind, f Facts) provider.Discovered {
	base := "http://" + at.address
	if u, err := url.Parse(k.BaseURL); err == nil {
		base += u.Path
	}
	return provider.Discovered{Kind: k.Name, BaseURL: base, Version: f.Version, Note: f.Note}
}
