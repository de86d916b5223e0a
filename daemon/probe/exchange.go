package probe

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe/transport"
	"github.com/providerd/providerd/store/provider"
)

const (
	maxRedirects = 3
	maxBody      = 4 << 20 // bytes of an answer's body, decompressed
)

// A request is one that can be sent again and again.
type request struct {
	method string
	path   string // below base_url; may hold a query
	url    *url.URL
	shown  string // the URL, without user-info
}

// request returns the one for a path below base_url, such as "/models?limit=1".
// The one that a probe begins with decides, and is kept for the next probe; the
// others are asked too rarely for that.
func (r *run) request(path string) *request {
	if first := r.p.first; first != nil && first.path == path {
		return first
	}
	req := r.p.requestTo(r.p.url(path))
	req.path = path
	if !r.sent {
		r.p.first = req
	}
	return req
}

// url is where a path below base_url is.
func (p *Prober) url(path string) *url.URL {
	path, query, _ := strings.Cut(path, "?")
	if p.kind.Type == provider.Cloud {
		path = joinedOnce(p.base.Path, path)
	}
	u := *p.base
	if u.Scheme == "unix" {
		u = url.URL{Scheme: "http", Host: "localhost"}
	}
	u.User = nil
	if path != "" {
		u.Path = strings.TrimSuffix(u.Path, "/") + path
		if u.RawPath != "" {
			u.RawPath = strings.TrimSuffix(u.RawPath, "/") + path
		}
	}
	u.RawQuery = query
	return &u
}

// joinedOnce leaves out of a path its first segment, such as /v1, when base ends
// with it: some of a vendor's clients want it in their address, others do not.
func joinedOnce(base, path string) string {
	first, _, more := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !more || first == "" || !strings.HasSuffix(strings.TrimSuffix(base, "/"), "/"+first) {
		return path
	}
	return strings.TrimPrefix(path, "/"+first)
}

func (p *Prober) requestTo(u *url.URL) *request {
	return &request{method: http.MethodGet, url: u, shown: p.clean.line(u.String(), maxDetail)}
}

// http is the request as net/http wants it.
func (r *request) http(ctx context.Context, header http.Header) *http.Request {
	h := http.Request{
		Method: r.method, URL: r.url, Host: r.url.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	return h.WithContext(ctx)
}

// get asks for a path and follows redirects as far as they may be followed.
func (r *run) get(ctx context.Context, path string) *answer {
	return r.follow(ctx, r.send(ctx, r.request(path)))
}

// post is get for a question that its server wants to be asked with POST and no
// body. It is not redirected.
func (r *run) post(ctx context.Context, path string) *answer {
	req := r.p.requestTo(r.p.url(path))
	req.method = http.MethodPost
	return r.send(ctx, req)
}

// follow goes after redirects that stay with the host that was asked. One that
// leads elsewhere must not be given the key, and is not the provider's answer.
func (r *run) follow(ctx context.Context, a *answer) *answer {
	began := r.latency
	for hop := 1; a.err == nil && a.isRedirect(); hop++ {
		to, err := a.request.url.Parse(a.header.Get("Location"))
		switch {
		case err != nil:
			a.blocked = "it redirects to an address that cannot be read"
		case hop > maxRedirects:
			a.blocked = fmt.Sprintf("it redirects more than %d times", maxRedirects)
		case !sameHost(a.request.url, to):
			to.User = nil
			a.blocked = "it redirects to another host: " + to.String()
		}
		if a.blocked != "" {
			return a
		}
		to.User = nil
		a = r.send(ctx, r.p.requestTo(to))
		began += r.latency
		r.latency = began
	}
	return a
}

// sameHost allows the one change that is safe: from http to https.
func sameHost(from, to *url.URL) bool {
	if !strings.EqualFold(from.Hostname(), to.Hostname()) {
		return false
	}
	if from.Scheme == to.Scheme {
		return transport.PortOf(from) == transport.PortOf(to)
	}
	return from.Scheme == "http" && to.Scheme == "https" &&
		(transport.PortOf(from) == transport.PortOf(to) || transport.PortOf(from) == "80" && transport.PortOf(to) == "443")
}

// send sends one request and reads its whole answer.
func (r *run) send(ctx context.Context, req *request) *answer {
	began := r.p.now()
	before, _ := r.trace.Connections()
	r.sent = true
	a := &answer{request: req, prober: r.p}
	res, err := r.p.transport.RoundTrip(req.http(ctx, r.p.header))
	if r.inBody = err == nil; r.inBody {
		r.answered = true
		a.take(res)
	} else {
		a.err = err
	}
	r.p.dialer.MarkIdle()
	r.meets()
	r.latency = r.p.now().Sub(began)
	after, _ := r.trace.Connections()
	r.record(a, before == after && err == nil)
	if err == nil {
		if r.p.proxy != nil && res.TLS != nil {
			r.trace.Shook(r.p.dialer.TLSStep(*res.TLS))
		}
		r.retryAt = r.toRetry(a)
	}
	return a
}

// take reads an answer's status, headers and capped body. A body that stays
// silent until the deadline is as good as no answer; one that breaks is part of
// the evidence.
func (a *answer) take(res *http.Response) {
	a.status, a.header = res.StatusCode, res.Header
	body, err := content(res)
	_ = res.Body.Close() // what was read is what counts
	switch {
	case len(body) > maxBody:
		a.large = true
		body = body[:maxBody]
	case err != nil && (transport.IsTimeout(err) || res.Request.Context().Err() != nil):
		a.err = err
	case err != nil:
		a.broken = err
	}
	a.body = body
}

// content reads a body, decompressed, up to one byte more than is wanted of it.
func content(res *http.Response) ([]byte, error) {
	var body io.Reader = res.Body
	if strings.EqualFold(res.Header.Get("Content-Encoding"), "gzip") {
		unzipped, err := gzip.NewReader(body)
		if err == io.EOF { // nothing at all, which is a body too
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("unzip: %w", err)
		}
		body = unzipped
	}
	return io.ReadAll(io.LimitReader(body, maxBody+1))
}

// record notes the exchange in the evidence.
func (r *run) record(a *answer, reused bool) {
	clean := r.p.clean
	x := provider.Exchange{
		Method:    a.request.method,
		URL:       a.request.shown,
		Reused:    reused,
		Status:    a.status,
		BodyBytes: int64(len(a.body)),
		TookMS:    provider.Milliseconds(r.latency),
	}
	if a.status != 0 {
		x.BodyStart = clean.bytes(a.body, maxBodyStart)
		x.Headers = telling(a.header, clean)
	}
	if err := a.trouble(); err != nil {
		x.Error = "no answer in time"
		if !transport.IsTimeout(err) {
			x.Error = clean.line(err.Error(), maxDetail)
		}
	}
	r.exchanges = append(r.exchanges, x)
}

// found is where the provider was found, when base_url names localhost, which is
// two addresses; else "".
func (p *Prober) found() string {
	good := p.dialer.Where()
	if good == "" || !config.IsLocalhost(p.base.Hostname()) {
		return ""
	}
	u := *p.base
	u.User, u.Host = nil, good
	return p.clean.line(u.String(), maxDetail)
}
