package feed

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/providerd/providerd/daemon/probe/spelling"
	"github.com/providerd/providerd/store/provider"
)

// A feed is sent no secret, but a proxy on the way may be: its password is in its
// address. Whoever answers as that proxy can send it back, in an error or, where there
// is no TLS, as a part of the feed.

const (
	maxError = 1 << 10 // bytes of an error that are looked at and told
	// A document is looked through in pieces, which bounds the work. They overlap, for a
	// secret may be at a seam.
	lookAt, overlap = 64 << 10, 4 << 10
)

var errRepeated = errors.New("the answer repeats the password of the proxy, or may: it is not read")

// secretsFor are what the proxies on the way to a feed are sent; nil for nothing. A
// redirect may lead from http to https, for which there may be another proxy.
func (p *Poller) secretsFor(feed *url.URL) *spelling.Secrets {
	var all []string
	for _, scheme := range []string{"http", "https"} {
		u := *feed
		u.Scheme = scheme
		if proxy, err := p.o.Proxy(&http.Request{Method: http.MethodGet, URL: &u}); err == nil && proxy != nil {
			all = append(all, spelling.InURL(proxy)...)
		}
	}
	return spelling.New(all)
}

// withoutSecrets is an error without what must not be shown.
func withoutSecrets(err error, secrets *spelling.Secrets) error {
	if err == nil || secrets == nil {
		return err
	}
	text := err.Error()
	if len(text) > maxError {
		text = text[:maxError]
		text = text[:secrets.Begun(text)]
	}
	clean, ok := secrets.Mask(provider.OneLine(text, maxError))
	switch {
	case !ok:
		return errors.New(spelling.Masked)
	case clean == err.Error():
		return err
	}
	return errors.New(clean)
}

// repeats reports whether a secret may be in a document.
func repeats(body []byte, secrets *spelling.Secrets) bool {
	for from := 0; secrets != nil && from < len(body); from += lookAt - overlap {
		part := string(body[from:min(from+lookAt, len(body))])
		if secrets.Doubts(part) && secrets.Look(part) != spelling.Clean {
			return true
		}
	}
	return false
}
