package probe

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/probe/transport"
	"github.com/providerd/providerd/store/provider"
)

const (
	maxRedirects = 3
	maxBody      = 4 << 20 // bytes of an answer's body, decompressed
)

// A request can be sent again and again.
type request struct {
	*transport.Request
	path  string // below base_url; may hold a query
	shown string // the URL, without user-info
}

// request returns the request for a path below base_url, such as "/models?limit=1". The one
// that a probe begins with is kept for the next probe; the others are too rare for that.
func (r *run) request(path string) *request {
	if first := r.p.first; first != nil && first.path == path {
		return first
	}
	req := r.p.requestTo(http.MethodGet, r.p.url(path))
	req.path = path
	if !r.sent {
		r.p.first = req
	}
	return req
}

// url is the URL of a path below base_url.
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

// joinedOnce drops the first segment of a path, such as /v1, if base ends with it: some
// clients of a vendor want it in their address, others do not.
func joinedOnce(base, path string) string {
	first, _, more := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !more || first == "" || !strings.HasSuffix(strings.TrimSuffix(base, "/"), "/"+first) {
		return path
	}
	return strings.TrimPrefix(path, "/"+first)
}

func (p *Prober) requestTo(method string, u *url.URL) *request {
	return &request{Request: transport.NewRequest(method, u, p.header), shown: p.clean.line(u.String(), maxDetail)}
}

// get asks for a path, and follows redirects that stay with the provider.
func (r *run) get(ctx context.Context, path string) *answer {
	return r.follow(ctx, r.send(ctx, r.request(path)))
}

// post is get for a request that its server wants as POST without a body. It follows no
// redirect.
func (r *run) post(ctx context.Context, path string) *answer {
	return r.send(ctx, r.p.requestTo(http.MethodPost, r.p.url(path)))
}

// follow follows redirects within the same host. Another host must not get the key, and its
// answer is not the provider's.
func (r *run) follow(ctx context.Context, a *answer) *answer {
	began := r.latency
	for hop := 1; a.err == nil && a.isRedirect(); hop++ {
		to, err := a.request.URL.Parse(a.header.Get("Location"))
		switch {
		case err != nil:
			a.blocked = "it redirects to an invalid address"
		case hop > maxRedirects:
			a.blocked = fmt.Sprintf("it redirects more than %d times", maxRedirects)
		case !sameHost(a.request.URL, to):
			a.blocked = "it redirects to another host: " + withoutValues(to)
		}
		if a.blocked != "" {
			return a
		}
		to.User = nil
		req := r.p.requestTo(http.MethodGet, to)
		req.shown = r.p.clean.line(withoutValues(to), maxDetail)
		a = r.send(ctx, req)
		a.led = true
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
	r.last = a
	res, err := r.p.transport.Send(ctx, req.Request)
	if r.inBody = err == nil; r.inBody {
		r.answered = true
		a.take(ctx, res)
	} else {
		a.err = err
	}
	r.p.dialer.MarkIdle()
	r.meets()
	r.latency = r.p.now().Sub(began)
	after, _ := r.trace.Connections()
	r.record(a, before == after && err == nil)
	if err == nil {
		r.retryAt = time.Time{}
		if a.status >= 400 {
			r.retryAt = r.toRetry(a)
		}
		r.noteLimits(a)
	}
	return a
}

// toRetry is when the answer says to ask again; zero if it does not.
func (r *run) toRetry(a *answer) time.Time {
	return a.complaint().RetryAt(a.header, r.p.now(), r.p.kind.refills)
}

// take reads an answer's status, headers and capped body. If the body stays silent until
// the deadline, there is no answer. A body that breaks is part of the evidence.
func (a *answer) take(ctx context.Context, res *http.Response) {
	a.status, a.header = res.StatusCode, res.Header
	body, err := a.content(res)
	_ = res.Body.Close() // what was read is what counts
	switch {
	case len(body) > maxBody:
		a.large = true
		body = body[:maxBody]
	case err != nil && (transport.IsTimeout(err) || ctx.Err() != nil):
		a.err = err
	case err != nil:
		a.broken = err
	}
	a.body = body
}

// content reads a body, decompressed, up to one byte more than the limit.
func (a *answer) content(res *http.Response) ([]byte, error) {
	body, zipped, coding, err := gunzipped(res.Body, res.Header)
	switch {
	case err == io.EOF:
		return nil, nil
	case err != nil:
		return nil, err
	}
	size := res.ContentLength
	if zipped {
		size = -1
	}
	a.coding = coding
	plain, err := readAll(io.LimitReader(body, maxBody+1), size)
	return bytes.TrimPrefix(plain, bom), err
}

// readAll is io.ReadAll with the announced size, or −1 if none was announced. Most answers
// are a few bytes long.
func readAll(r io.Reader, size int64) ([]byte, error) {
	if size < 0 || size > 64<<10 { // anybody can announce that
		return io.ReadAll(r)
	}
	body := make([]byte, 0, size)
	for {
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err == io.EOF {
			return body, nil
		}
		if err != nil {
			return body, err
		}
		if len(body) == cap(body) { // the end has not been seen yet
			body = slices.Grow(body, 512)
		}
	}
}

// record notes the exchange in the evidence.
func (r *run) record(a *answer, reused bool) {
	clean := r.p.clean
	x := provider.Exchange{
		Method:    a.request.Method,
		URL:       a.request.shown,
		Reused:    reused,
		Status:    a.status,
		BodyBytes: int64(len(a.body)),
		TookMS:    provider.Milliseconds(r.latency),
	}
	if a.status != 0 {
		x.BodyStart = r.p.common.text(clean.bytes(a.body, maxBodyStart))
		x.ClockAheadMS = clockAhead(a.header, time.Now()).Milliseconds()
		x.Headers = r.p.telling(a.header, a.status/100 != 2 || strings.HasPrefix(a.header.Get("Content-Type"), "text/html"))
	}
	if err := a.trouble(); err != nil {
		x.Error = "no answer in time"
		if !transport.IsTimeout(err) {
			x.Error = clean.line(err.Error(), maxDetail)
		}
	}
	r.exchanges = append(r.exchanges, x)
}

// clockAhead is how far the clock of the server is ahead of this machine's. It is 0 if the
// delay of the answer and the whole seconds of Date could explain the difference. A cached
// copy has an old Date.
func clockAhead(h http.Header, now time.Time) time.Duration {
	const apart = 5 * time.Second
	date, err := http.ParseTime(h.Get("Date"))
	if ahead := date.Sub(now); err == nil && h.Get("Age") == "" && ahead.Abs() >= apart {
		return ahead
	}
	return 0
}

// found is where the provider was found, if base_url names localhost, which is two
// addresses, or stands for both; else "".
func (p *Prober) found() string {
	good := p.dialer.Where()
	if good == "" || good == p.dialer.Address || !p.localhost && !p.twin {
		return ""
	}
	u := *p.base
	u.User, u.Host = nil, good
	return p.clean.line(u.String(), maxDetail)
}
