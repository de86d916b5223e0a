package transport

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
)

// frameHeader is the length of an HTTP/2 frame's header (RFC 9113, section 4.1).
const frameHeader = 9

// IsHTTP2 recognises a server that speaks HTTP/2 by its first bytes: a SETTINGS frame or,
// if it does not accept our request, a GOAWAY frame, both for the connection as a whole.
func IsHTTP2(heard string) bool {
	if len(heard) < frameHeader || heard[5:frameHeader] != "\x00\x00\x00\x00" {
		return false
	}
	length := int(heard[0])<<16 | int(heard[1])<<8 | int(heard[2])
	switch heard[3] {
	case 0x4:
		return length%6 == 0 && length <= 1<<14
	case 0x7:
		return length >= 8 && length <= 1<<14
	}
	return false
}

// preface is how an HTTP/2 client begins, with an empty SETTINGS frame (RFC 9113, section
// 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// anyPage is a request that every HTTP/1.1 server answers in some way.
const anyPage = "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

// SpeaksHTTP2Alone finds out whether the server without TLS at the last address that
// accepted speaks HTTP/2, but not HTTP/1.1. Go's servers hang up on the latter without a
// word. Nothing is requested, and no key is sent.
func (d *Dialer) SpeaksHTTP2Alone(ctx context.Context) bool {
	return IsHTTP2(d.replyTo(ctx, preface)) && !strings.HasPrefix(d.replyTo(ctx, anyPage), "HTTP/1")
}

// replyTo is the first reply to some bytes, over a new connection.
func (d *Dialer) replyTo(ctx context.Context, words string) string {
	ctx, cancel := context.WithTimeout(ctx, helloWait)
	defer cancel()
	raw, err := d.Connect(ctx, d.Network, d.Where())
	if err != nil {
		return ""
	}
	defer raw.Close() // nothing was said over it that matters
	defer context.AfterFunc(ctx, func() { _ = raw.Close() })()
	if _, err := io.WriteString(raw, words); err != nil {
		return ""
	}
	reply := make([]byte, frameHeader)
	n, _ := io.ReadFull(raw, reply) // what was read counts
	return string(reply[:n])
}

// OffersHTTP2Alone finds out whether the TLS server at the last address that accepted has
// HTTP/2 in its list of protocols (RFC 7301), but not HTTP/1.1. If a client offers none of
// its protocols, a server refuses it or chooses nothing. No request is sent, so no
// certificate is checked.
func (d *Dialer) OffersHTTP2Alone(ctx context.Context) bool {
	chosen, ok := d.negotiate(ctx, "http/1.1")
	if !ok || chosen != "" {
		return false
	}
	chosen, _ = d.negotiate(ctx, "h2")
	return chosen == "h2"
}

// negotiate offers a protocol, and returns what the server chose: nothing if it refuses
// the protocol.
func (d *Dialer) negotiate(ctx context.Context, protocol string) (chosen string, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, helloWait)
	defer cancel()
	address := d.Where()
	raw, err := d.Connect(ctx, d.Network, address)
	if err != nil {
		return "", false
	}
	defer raw.Close() // nothing was said over it that matters
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	config := d.tls.config(host)
	config.NextProtos, config.InsecureSkipVerify = []string{protocol}, true
	c := tls.Client(raw, config)
	if err := c.HandshakeContext(ctx); err != nil {
		return "", IsNoProtocol(err)
	}
	return c.ConnectionState().NegotiatedProtocol, true
}

// IsNoProtocol reports whether a TLS server refused because it speaks none of the offered
// protocols. crypto/tls has no type for the meaning of an alert.
func IsNoProtocol(err error) bool {
	return IsAlert(err) && strings.Contains(err.Error(), "no application protocol")
}
