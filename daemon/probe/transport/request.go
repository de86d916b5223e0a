package transport

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
)

// A Request has no body, and can be sent again and again. Its fields must not change,
// nor what they lead to.
type Request struct {
	Method string
	URL    *url.URL
	Header http.Header

	to   origin
	wire []byte // as it is sent; nil until then
}

// NewRequest prepares a request with headers that it may share with others.
func NewRequest(method string, u *url.URL, header http.Header) *Request {
	return &Request{Method: method, URL: u, Header: header, to: originOf(u)}
}

// An origin is what a connection leads to.
type origin struct{ scheme, address string }

func originOf(u *url.URL) origin {
	return origin{u.Scheme, net.JoinHostPort(u.Hostname(), PortOf(u))}
}

// http is the request as net/http wants it.
func (r *Request) http(ctx context.Context) *http.Request {
	h := http.Request{
		Method: r.Method, URL: r.URL, Host: r.URL.Host, Header: r.Header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	return h.WithContext(ctx)
}

// bytes is the request as it goes over a connection. It is written once: it is the
// same with every probe.
func (r *Request) bytes() ([]byte, error) {
	if r.wire != nil {
		return r.wire, nil
	}
	var wire bytes.Buffer
	if err := r.http(context.Background()).Write(&wire); err != nil {
		return nil, fmt.Errorf("write the request: %w", err)
	}
	r.wire = bytes.Clone(wire.Bytes()) // no more than there is of it: it may be kept for long
	return r.wire, nil
}

// with is the same request with other headers.
func (r *Request) with(header http.Header) *Request {
	return &Request{Method: r.Method, URL: r.URL, Header: header, to: r.to}
}

// A RoundTripper is what net/http has for HTTP; see [http.Transport].
type RoundTripper interface {
	http.RoundTripper
	CloseIdleConnections()
}

// Over sends requests over what net/http has.
func Over(t RoundTripper) HTTP { return over{t} }

type over struct{ RoundTripper }

func (o over) Send(ctx context.Context, req *Request) (*http.Response, error) {
	return o.RoundTrip(req.http(ctx))
}
