package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"time"
)

// helloWait is how long a peer may take to answer a ClientHello. It hung up on a request
// just now, so it is there, and the verdict should not wait long.
const helloWait = 2 * time.Second

// SpeaksTLS finds out whether the listener at the last address that accepted answers a
// ClientHello like a TLS server. Nothing more is sent, so no certificate is checked. The
// connection is not part of the evidence.
func (d *Dialer) SpeaksTLS(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, helloWait)
	defer cancel()
	address := d.Where()
	raw, err := d.Connect(ctx, d.Network, address)
	if err != nil {
		return false
	}
	defer raw.Close() // nothing was said over it that matters
	peer := &greeted{Conn: raw}
	_ = tls.Client(peer, d.tls.config(hostOf(address))).HandshakeContext(ctx) // it ends with errGreeted at best
	return IsTLS(peer.reply)
}

// NewestOldTLS is the newest TLS version of a server that speaks none of ours: "TLS 1.1".
// It is empty if unknown. As in SpeaksTLS, only a ClientHello is sent.
func (d *Dialer) NewestOldTLS(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, helloWait)
	defer cancel()
	address := d.Where()
	raw, err := d.Connect(ctx, d.Network, address)
	if err != nil {
		return ""
	}
	defer raw.Close() // nothing was said over it that matters
	config := d.tls.config(hostOf(address))
	config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	peer := &greeted{Conn: raw}
	_ = tls.Client(peer, config).HandshakeContext(ctx) // it ends with errGreeted at best
	// This is a record with a ServerHello, which has the chosen version.
	if r := peer.reply; len(r) >= 11 && r[0] == 0x16 && r[5] == 2 && r[9] == 3 {
		return tls.VersionName(uint16(r[9])<<8 | uint16(r[10]))
	}
	return ""
}

// A greeted connection ends a handshake at the peer's first bytes.
type greeted struct {
	net.Conn
	reply string
}

var errGreeted = errors.New("the peer has replied")

func (g *greeted) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	g.reply += string(b[:min(n, Sniffed)])
	if err != nil {
		return 0, err
	}
	return 0, errGreeted
}

// IsTLS recognises a TLS server by its first bytes: a record with an alert or a handshake,
// of any version.
func IsTLS(heard string) bool {
	return strings.HasPrefix(heard, "\x15\x03") || strings.HasPrefix(heard, "\x16\x03")
}
