package transport

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
)

// frameHeader is how long the header of an HTTP/2 frame is (RFC 9113, section 4.1).
const frameHeader = 9

// IsHTTP2 knows a server that speaks HTTP/2 by its first bytes: a SETTINGS frame or, where
// it did not like ours, a GOAWAY frame, both of the connection as a whole.
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

// OffersHTTP2Alone finds out whether the TLS server at the address that accepted last has
// HTTP/2 in its list of protocols (RFC 7301), and not HTTP/1.1. Some refuse a client that
// offers nothing of theirs, others choose nothing then. No request is sent, so no
// certificate is looked at.
func (d *Dialer) OffersHTTP2Alone(ctx context.Context) bool {
	chosen, ok := d.negotiate(ctx, "http/1.1")
	if !ok || chosen != "" {
		return false
	}
	chosen, _ = d.negotiate(ctx, "h2")
	return chosen == "h2"
}

// negotiate offers a protocol, and returns what the server chose: nothing where it
// refuses for that.
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

// IsNoProtocol reports whether a TLS server refused because it speaks none of the
// protocols that were offered. crypto/tls has no type for what an alert says.
func IsNoProtocol(err error) bool {
	return IsAlert(err) && strings.Contains(err.Error(), "no application protocol")
}
