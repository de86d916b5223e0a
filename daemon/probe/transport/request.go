package transport

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
)

// A Request has no body, and can be sent again and again. Its fields must not change, nor
// what they point to.
type Request struct {
	Method string
	URL    *url.URL
	Header http.Header

	to   origin
	wire []byte // as it is sent; nil until then
}

// NewRequest prepares a request. Others may share its headers.
func NewRequest(method string, u *url.URL, header http.Header) *Request {
	return &Request{Method: method, URL: u, Header: header, to: originOf(u)}
}

// An origin is where a connection goes.
type origin struct{ scheme, address string }

func originOf(u *url.URL) origin {
	return origin{u.Scheme, net.JoinHostPort(u.Hostname(), PortOf(u))}
}

// http is the request for net/http.
func (r *Request) http(ctx context.Context) *http.Request {
	h := http.Request{
		Method: r.Method, URL: r.URL, Host: r.URL.Host, Header: r.Header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	return h.WithContext(ctx)
}

// bytes is the request as it is sent over a connection. It is encoded only once, because it
// is the same in every probe.
func (r *Request) bytes() ([]byte, error) {
	if r.wire != nil {
		return r.wire, nil
	}
	var wire bytes.Buffer
	if err := r.http(context.Background()).Write(&wire); err != nil {
		return nil, fmt.Errorf("write the request: %w", err)
	}
	r.wire = bytes.Clone(wire.Bytes()) // without spare capacity: it may be kept for long
	return r.wire, nil
}

// with is the same request with other headers.
func (r *Request) with(header http.Header) *Request {
	return &Request{Method: r.Method, URL: r.URL, Header: header, to: r.to}
}

// A RoundTripper is net/http's side; see [http.Transport].
type RoundTripper interface {
	http.RoundTripper
	CloseIdleConnections()
}

// Over sends requests over net/http.
func Over(t RoundTripper) HTTP { return over{t} }

type over struct{ RoundTripper }

func (o over) Send(ctx context.Context, req *Request) (*http.Response, error) {
	return o.RoundTrip(req.http(ctx))
}
