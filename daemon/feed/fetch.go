package feed

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	deadline     = 15 * time.Second // for everything from the lookup of the name to the last byte
	maxBody      = 8 << 20          // bytes, compressed or not: Google lists years of incidents
	maxHeader    = 64 << 10
	maxRedirects = 3
)

// newClient makes a client that keeps no connections, as the next use is minutes away, and
// no cookies.
func newClient(o *Options) *http.Client {
	t := &http.Transport{
		Proxy:                  o.Proxy,
		DialContext:            o.Dial,
		DisableKeepAlives:      true,
		DisableCompression:     true, // fetch does it, with a cap
		MaxResponseHeaderBytes: maxHeader,
		Protocols:              new(http.Protocols),
		OnProxyConnectResponse: proxyAnswered,
	}
	t.Protocols.SetHTTP1(true)
	return &http.Client{Transport: t, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		first := via[0].URL
		switch {
		case len(via) > maxRedirects:
			return errors.New("too many redirects")
		case req.URL.Scheme == "https" && req.URL.User == nil:
		case req.URL.Scheme == "http" && first.Scheme == "http" && req.URL.Host == first.Host && req.URL.User == nil:
		default:
			return errors.New("a redirect that is not followed")
		}
		return nil
	}}
}

// proxyAnswered reports a proxy's refusal without its text, which could repeat the password
// that it was sent.
func proxyAnswered(_ context.Context, proxy *url.URL, _ *http.Request, res *http.Response) error {
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the proxy %s answered %d %s", proxy.Host, res.StatusCode, http.StatusText(res.StatusCode))
	}
	return nil
}

// An answer is the result of one request.
type answer struct {
	status   int
	body     []byte
	plain    bool          // it came without TLS
	validate http.Header   // for the next request
	rest     time.Duration // how long not to ask again; 0 if it does not say
	err      error
}

// fetch gets a feed, if it has changed.
func (p *Poller) fetch(ctx context.Context, feed string, validate http.Header) answer {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, feed, nil)
	if err != nil {
		return answer{err: err}
	}
	secrets := p.secretsFor(req.URL)
	a := p.answerTo(req, validate)
	if a.err = withoutSecrets(a.err, secrets); a.plain && repeats(a.body, secrets) {
		a.body, a.err = nil, errRepeated
	}
	return a
}

func (p *Poller) answerTo(req *http.Request, validate http.Header) answer {
	req.Header = validate.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("User-Agent", p.o.UserAgent)
	req.Header.Set("Accept", "application/json, application/rss+xml, application/xml;q=0.9")
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := p.client.Do(req)
	if err != nil {
		return answer{err: plainError(err)}
	}
	defer res.Body.Close()
	a := answer{status: res.StatusCode, plain: res.Request.URL.Scheme == "http", rest: restOf(res.Header, time.Now())}
	if res.StatusCode != http.StatusOK {
		return a
	}
	a.body, a.err = bodyOf(res)
	a.validate = http.Header{}
	for asked, told := range map[string]string{"If-None-Match": "Etag", "If-Modified-Since": "Last-Modified"} {
		if v := res.Header.Get(told); v != "" {
			a.validate.Set(asked, v)
		}
	}
	return a
}

// bodyOf reads a whole body, with a limit on its size before and after decompression.
func bodyOf(res *http.Response) ([]byte, error) {
	raw, err := capped(res.Body)
	if err != nil {
		return nil, err
	}
	switch coding := strings.ToLower(res.Header.Get("Content-Encoding")); coding {
	case "", "identity":
		return raw, nil
	case "gzip":
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return nil, errors.New("the answer is not valid gzip")
		}
		return capped(z)
	default:
		return nil, fmt.Errorf("the answer has the content encoding %q", coding)
	}
}

func capped(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the answer breaks off: %w", plainError(err))
	case len(b) > maxBody:
		return nil, fmt.Errorf("the answer is larger than %d MiB", maxBody>>20)
	}
	return b, nil
}

// restOf reads Retry-After: seconds, or a date by the server's clock, which is compared
// with the Date header, as our clock may be wrong.
func restOf(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// plainError removes the method and the address, which the context gives.
func plainError(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s", deadline)
	}
	return err
}
